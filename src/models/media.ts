import type { MediaKind } from '../core/jobs/unsent-rows.ts';

/** Formats of images that a family may take, by the names that Converse has for them. */
export type ImageFormat = 'png' | 'jpeg' | 'gif' | 'webp';

/** An image or a document as it stands in a body: everything that a row decides is a text. */
export interface MediaBlock {
  kind: MediaKind;
  /** `png`, or `pdf`. */
  format: string;
  /** `image/png`, or `application/pdf`. */
  mediaType: string;
  base64: string;
}

/** What a family takes of one kind. */
export interface MediaLimits {
  /** `pdf` for documents. */
  formats: readonly string[];
  /** Most bytes of one, before Base64; absent where only `maxRequestBytes` bounds it. */
  maxBytes?: number;
  /** Most pixels on each side. */
  maxSide?: number;
  /** Most of them in one request; absent where only bytes bound them. */
  most?: number;
}

/** What a family takes beside text, and how much. */
export interface MediaSupport {
  image?: MediaLimits;
  document?: MediaLimits;
  /** True of embeddings that are of a text and an image together. */
  besideText?: true;
  /** Most bytes of all of a request's, in Base64. */
  maxRequestBytes: number;
  /** Where that was read, and when. */
  source: string;
  date: string;
  /** Tokens that an image of so many pixels is counted as; absent where its source does not tell. */
  imageTokens?(size: { width: number; height: number }): number;
}

/** Formats that all families which read images take, but for Titan. */
export const IMAGE_FORMATS: readonly ImageFormat[] = ['png', 'jpeg', 'gif', 'webp'];

/** When the limits below, and those of the families, were last read. */
export const MEDIA_READ_ON = '2026-11-28';

/** Most bytes of a request's payload. https://docs.aws.amazon.com/nova/latest/userguide/modalities-image.html */
export const MAX_REQUEST_BYTES = 25_000_000;

/**
 * What Converse takes. Another page says that Bedrock itself bounds neither number nor size of images, and leaves them to models
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api-restrictions.html): the narrower one holds here.
 */
export const CONVERSE_MEDIA: MediaSupport = {
  image: { formats: IMAGE_FORMATS, maxBytes: 3_750_000, maxSide: 8_000, most: 20 },
  document: { formats: ['pdf'], maxBytes: 4_500_000, most: 5 },
  maxRequestBytes: MAX_REQUEST_BYTES,
  source: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html',
  date: MEDIA_READ_ON,
};

/** What Converse takes of Nova, of whose PDFs the request's payload alone bounds the size. */
export const NOVA_CONVERSE_MEDIA: MediaSupport = {
  ...CONVERSE_MEDIA,
  document: { formats: ['pdf'], most: 5 },
  source: 'https://docs.aws.amazon.com/nova/latest/userguide/modalities-document.html',
};
