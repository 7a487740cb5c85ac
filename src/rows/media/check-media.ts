import { disableTypes, imageSize, types } from 'image-size';
import type { MediaKind } from '../../core/jobs/unsent-rows.ts';
import type { ImageFormat, MediaBlock, MediaLimits } from '../../models/media.ts';
import { type MediaFault, mediaFault } from './media-fault.ts';

/** An image or a document that may be sent. */
export interface SoundMedia extends Pick<MediaBlock, 'format' | 'mediaType'> {
  kind: 'sound';
  /** Pixels of an image. */
  size?: { width: number; height: number };
}

/** How files of each format begin, and what stands at which place of them; spaces are any bytes. */
const BEGINNINGS: readonly (readonly [format: ImageFormat, beginning: string])[] = [
  ['png', '\x89PNG\r\n\x1a\n'],
  ['jpeg', '\xff\xd8\xff'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
  ['webp', 'RIFF    WEBP'],
];
/** A PDF may have other bytes before this. https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/pdfreference1.7old.pdf, H.3 */
const PDF_BEGINNING = '%PDF-';
const PDF_MOST_BEFORE = 1_024;
/** Formats that people have as well, and what they are called. */
const OTHERS: readonly (readonly [name: string, beginning: string])[] = [
  ['a BMP', 'BM'],
  ['a TIFF', 'II*\0'],
  ['a TIFF', 'MM\0*'],
  ['a HEIC or AVIF', '    ftyp'],
  ['an SVG', '<svg'],
  ['XML', '<?xml'],
  ['HTML', '<!'],
  ['HTML', '<html'],
  ['a pointer of Git LFS, without the file', 'version https://git-lfs'],
];

// Of all that the library reads, what no model takes is not looked into.
disableTypes(types.filter((type) => !['png', 'jpg', 'gif', 'webp'].includes(type)));

/** Tells what bytes are, by themselves, and whether a model takes them. */
export function checkMedia(kind: MediaKind, bytes: Buffer, limits: MediaLimits): SoundMedia | MediaFault {
  const { maxBytes = Number.POSITIVE_INFINITY } = limits;
  if (bytes.length === 0) return mediaFault('FormatUnsupported', 'has no bytes');
  if (bytes.length > maxBytes) return tooManyBytes(bytes.length, maxBytes);
  return kind === 'image' ? checkImage(bytes, limits) : checkDocument(bytes, limits);
}

/** The fault of what has more bytes than a model takes. */
export function tooManyBytes(bytes: number, maxBytes: number): MediaFault {
  return mediaFault('TooLarge', `has ${count(bytes)} bytes; the model takes up to ${count(maxBytes)}`);
}

function checkImage(bytes: Buffer, { formats, maxSide }: MediaLimits): SoundMedia | MediaFault {
  const format = BEGINNINGS.find(([, beginning]) => begins(bytes, beginning))?.[0];
  if (format === undefined || !formats.includes(format)) {
    const found = format ?? OTHERS.find(([, beginning]) => begins(bytes, beginning))?.[0];
    return mediaFault(
      'FormatUnsupported',
      `is ${found === undefined ? 'of no known format' : found}; the model takes ${formats.join(', ')}`,
    );
  }
  const size = sizeOf(bytes);
  if (size === undefined) {
    return mediaFault('FormatUnsupported', `begins as ${format} does, but it is damaged: it tells no size`);
  }
  const { width, height } = size;
  if (maxSide !== undefined && Math.max(width, height) > maxSide) {
    return mediaFault(
      'TooLarge',
      `has ${count(width)} × ${count(height)} pixels; the model takes up to ${count(maxSide)} on each side`,
    );
  }
  return { kind: 'sound', format, mediaType: `image/${format}`, size };
}

function checkDocument(bytes: Buffer, { formats }: MediaLimits): SoundMedia | MediaFault {
  const isPdf = bytes.subarray(0, PDF_MOST_BEFORE).includes(PDF_BEGINNING, 0, 'latin1');
  return isPdf
    ? { kind: 'sound', format: 'pdf', mediaType: 'application/pdf' }
    : mediaFault('FormatUnsupported', `is not a PDF; the model takes ${formats.join(', ')}`);
}

function sizeOf(bytes: Buffer): { width: number; height: number } | undefined {
  try {
    const { width, height } = imageSize(bytes);
    return width > 0 && height > 0 ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}

function begins(bytes: Buffer, beginning: string): boolean {
  return (
    bytes.length >= beginning.length &&
    [...beginning].every((char, index) => char === ' ' || bytes[index] === char.charCodeAt(0))
  );
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
