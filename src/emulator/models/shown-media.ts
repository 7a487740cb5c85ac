import { imageSize } from 'image-size';
import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import { digestOf } from '../faults/seeded-random.ts';
import type { ModelTraits } from './model-family.ts';

/** An image or a document that a message shows. */
export interface ShownMedia {
  kind: 'image' | 'document';
  mediaType: string;
  base64: string;
  /** What it is, for people: `png, 20 × 30 pixels`. */
  about: string;
  digest: string;
  tokens: number;
}

/** What is wrong with what a message shows. */
export type MediaFault =
  | { fault: 'unread'; kind: ShownMedia['kind'] }
  | { fault: 'not-base64' | 'unknown-format' | 'other-format' | 'damaged'; kind: ShownMedia['kind'] }
  | {
      fault: 'too-many-bytes' | 'too-many-pixels' | 'too-many';
      kind: ShownMedia['kind'];
      is: number;
      most: number;
    };

/** What a service takes of what messages show. */
export interface MediaLimits {
  /** Formats of images. */
  formats: readonly string[];
  maxImageBytes: number;
  maxDocumentBytes: number;
  /** Pixels on each side. */
  maxSide: number;
  maxImages: number;
  maxDocuments: number;
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html */
export const MESSAGE_LIMITS: MediaLimits = {
  formats: ['png', 'jpeg', 'gif', 'webp'],
  maxImageBytes: 3_750_000,
  maxDocumentBytes: 4_500_000,
  maxSide: 8_000,
  maxImages: 20,
  maxDocuments: 5,
};

/** Bytes that files of each format begin with; spaces are any bytes. */
const BEGINNINGS: readonly (readonly [format: string, beginning: string])[] = [
  ['png', '\x89PNG\r\n\x1a\n'],
  ['jpeg', '\xff\xd8\xff'],
  ['gif', 'GIF8'],
  ['webp', 'RIFF    WEBP'],
  ['pdf', '%PDF-'],
];
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** https://docs.anthropic.com/en/docs/build-with-claude/vision#calculate-image-costs; other makers’ are as plausible. */
const [PIXELS_PER_TOKEN, MOST_IMAGE_TOKENS] = [750, 1_600];
const DOCUMENT_BYTES_PER_TOKEN = 20;

/** Reads an image or a document as a body has it: of the format that it is said to be of, and within the limits. */
export function readShownMedia(
  kind: ShownMedia['kind'],
  { base64, format }: { base64: unknown; format: string | undefined },
  { model, limits }: { model: Pick<ModelTraits, 'reads'>; limits: MediaLimits },
): ShownMedia | MediaFault {
  if (!model.reads.includes(kind)) return { fault: 'unread', kind };
  if (typeof base64 !== 'string' || base64.length % 4 !== 0 || !BASE64.test(base64)) {
    return { fault: 'not-base64', kind };
  }
  const bytes = Buffer.from(base64, 'base64');
  const most = kind === 'image' ? limits.maxImageBytes : limits.maxDocumentBytes;
  if (bytes.length > most) return { fault: 'too-many-bytes', kind, is: bytes.length, most };
  const found = formatOf(bytes);
  const formats = kind === 'image' ? limits.formats : ['pdf'];
  if (found === undefined || !formats.includes(found)) return { fault: 'unknown-format', kind };
  if (format !== undefined && format !== found) return { fault: 'other-format', kind };
  const shown = { kind, base64, digest: digestOf(base64) };
  if (kind === 'document') {
    const tokens = Math.ceil(bytes.length / DOCUMENT_BYTES_PER_TOKEN);
    return { ...shown, mediaType: 'application/pdf', about: `pdf, ${bytes.length} bytes`, tokens };
  }
  const size = sizeOf(bytes);
  if (size === undefined) return { fault: 'damaged', kind };
  const { width, height } = size;
  const longest = Math.max(width, height);
  if (longest > limits.maxSide) return { fault: 'too-many-pixels', kind, is: longest, most: limits.maxSide };
  return {
    ...shown,
    mediaType: `image/${found}`,
    about: `${found}, ${width} × ${height} pixels`,
    tokens: Math.min(MOST_IMAGE_TOKENS, Math.ceil((width * height) / PIXELS_PER_TOKEN)),
  };
}

/** Of a block of Converse and of Nova: `{image: {format, source: {bytes}}}`; undefined where it shows nothing. */
export function readMediaBlock(
  block: JsonObject,
  context: { model: Pick<ModelTraits, 'reads'>; limits: MediaLimits },
): ShownMedia | MediaFault | undefined {
  for (const kind of ['image', 'document'] as const) {
    const member = block[kind];
    if (!isJsonObject(member)) continue;
    const source = isJsonObject(member.source) ? member.source : {};
    return readShownMedia(kind, { base64: source.bytes, format: String(member.format) }, context);
  }
  return undefined;
}

/** Why there are too many of a kind in a message; undefined where there are not. */
export function tooMany(media: readonly ShownMedia[], limits: MediaLimits): MediaFault | undefined {
  for (const [kind, most] of [
    ['image', limits.maxImages],
    ['document', limits.maxDocuments],
  ] as const) {
    const is = media.filter((shown) => shown.kind === kind).length;
    if (is > most) return { fault: 'too-many', kind, is, most };
  }
  return undefined;
}

/** A fault in the words of Converse and of Amazon's own models. */
export function blockFaultText(fault: MediaFault): string {
  const { kind } = fault;
  switch (fault.fault) {
    case 'unread':
      return `This model doesn't support the ${kind} field. Remove ${kind} and try again.`;
    case 'not-base64':
      return `The ${kind} source has no valid bytes. Provide them in Base64 and try again.`;
    case 'unknown-format':
    case 'damaged':
      return `Could not process ${kind}.`;
    case 'other-format':
      return `The provided ${kind} does not match the specified ${kind} format.`;
    case 'too-many-bytes':
      return `The provided ${kind} has ${fault.is} bytes, more than the maximum of ${fault.most} bytes.`;
    case 'too-many-pixels':
      return `The provided ${kind} has ${fault.is} pixels on a side, more than the maximum of ${fault.most} pixels.`;
    case 'too-many':
      return `The number of ${kind}s, ${fault.is}, exceeds the maximum of ${fault.most}.`;
  }
}

function formatOf(bytes: Buffer): string | undefined {
  return BEGINNINGS.find(([, beginning]) =>
    [...beginning].every((char, index) => char === ' ' || bytes[index] === char.charCodeAt(0)),
  )?.[0];
}

function sizeOf(bytes: Buffer): { width: number; height: number } | undefined {
  try {
    return imageSize(bytes);
  } catch {
    return undefined;
  }
}
