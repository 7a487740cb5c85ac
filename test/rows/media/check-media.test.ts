import { expect, test } from 'vitest';
import { CONVERSE_MEDIA, type MediaLimits } from '../../../src/models/media.ts';
import { checkMedia } from '../../../src/rows/media/check-media.ts';
import { gifOf, jpegOf, pdfOf, pngOf, webpOf } from '../../support/images.ts';

const IMAGE = CONVERSE_MEDIA.image as MediaLimits;
const DOCUMENT = CONVERSE_MEDIA.document as MediaLimits;

test.each([
  ['png', pngOf(20, 30)],
  ['jpeg', jpegOf(20, 30)],
  ['gif', gifOf(20, 30)],
  ['webp', webpOf(20, 30)],
])('%s is told by its bytes, with its size', (format, bytes) => {
  expect(checkMedia('image', bytes, IMAGE)).toEqual({
    kind: 'sound',
    format,
    mediaType: `image/${format}`,
    size: { width: 20, height: 30 },
  });
});

test('a PDF is told by its bytes, were there others before them', () => {
  const sound = { kind: 'sound', format: 'pdf', mediaType: 'application/pdf' };
  expect(checkMedia('document', pdfOf('a'), DOCUMENT)).toEqual(sound);
  expect(checkMedia('document', Buffer.concat([Buffer.alloc(500), pdfOf('a')]), DOCUMENT)).toEqual(sound);
});

test.each<[string, Buffer, MediaLimits, string, string]>([
  ['no bytes', Buffer.alloc(0), IMAGE, 'FormatUnsupported', 'has no bytes'],
  [
    'text',
    Buffer.from('hello'),
    IMAGE,
    'FormatUnsupported',
    'is of no known format; the model takes png, jpeg, gif, webp',
  ],
  [
    'a TIFF',
    Buffer.from('II*\0more'),
    IMAGE,
    'FormatUnsupported',
    'is a TIFF; the model takes png, jpeg, gif, webp',
  ],
  [
    'a pointer of Git LFS',
    Buffer.from('version https://git-lfs.github.com/spec/v1'),
    IMAGE,
    'FormatUnsupported',
    'is a pointer of Git LFS, without the file; the model takes png, jpeg, gif, webp',
  ],
  [
    'a GIF for Titan',
    gifOf(2, 2),
    { ...IMAGE, formats: ['png', 'jpeg'] },
    'FormatUnsupported',
    'is gif; the model takes png, jpeg',
  ],
  [
    'a PNG that breaks off',
    pngOf(2, 2).subarray(0, 12),
    IMAGE,
    'FormatUnsupported',
    'begins as png does, but it is damaged: it tells no size',
  ],
  [
    'a JPEG without a frame',
    Buffer.from([0xff, 0xd8, 0xff, 0xd9]),
    IMAGE,
    'FormatUnsupported',
    'begins as jpeg does, but it is damaged: it tells no size',
  ],
  [
    'too many bytes',
    jpegOf(2, 2, 3_750_000),
    IMAGE,
    'TooLarge',
    'has 3,750,035 bytes; the model takes up to 3,750,000',
  ],
  [
    'too many pixels',
    pngOf(8_001, 2),
    IMAGE,
    'TooLarge',
    'has 8,001 × 2 pixels; the model takes up to 8,000 on each side',
  ],
])('%s is a fault that says what it is', (_, bytes, limits, name, text) => {
  expect(checkMedia('image', bytes, limits)).toEqual({ kind: 'fault', name, text });
});

test('a document that is no PDF is a fault', () => {
  expect(checkMedia('document', pngOf(2, 2), DOCUMENT)).toEqual({
    kind: 'fault',
    name: 'FormatUnsupported',
    text: 'is not a PDF; the model takes pdf',
  });
});
