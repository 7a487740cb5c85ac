import { isUtf8 } from 'node:buffer';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { S3Uri } from '../../core/s3-uri.ts';

export const NEWLINE = 10;
const RETURN = 13;
/** Of the UTF-8 byte order mark. */
const MARK_BYTES = 3;
/** UTF-16 has one of two; without it nobody can tell it from other bytes for sure. */
const UTF16_MARKS = [
  { encoding: 'utf-16le', first: 0xff, second: 0xfe },
  { encoding: 'utf-16be', first: 0xfe, second: 0xff },
] as const;

/** Makes UTF-8 of a text's bytes. */
export interface TextDecoding {
  push(bytes: Buffer): Buffer;
  /** What was left; throws where the text ends within a character. */
  end(): Buffer;
}

/** Bytes that say by themselves how they are encoded. */
export const ENCODING_HEAD_BYTES = MARK_BYTES;

/**
 * How a text's bytes are to be read: as it was said, or as its byte order mark says, or as UTF-8; and how many bytes the
 * mark has. Throws InvalidDatasetError where they are UTF-16 without one.
 */
export function encodingOf(
  head: Buffer,
  { uri, encoding }: { uri: S3Uri; encoding: string | undefined },
): { encoding: string; markBytes: number } {
  const [a, b, c] = head;
  const marked = UTF16_MARKS.find(({ first, second }) => a === first && b === second);
  if (encoding !== undefined && encoding !== 'utf-8') {
    return encoding.startsWith('utf-16') && marked !== undefined
      ? { encoding: marked.encoding, markBytes: 2 }
      : { encoding, markBytes: 0 };
  }
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', markBytes: MARK_BYTES };
  if (encoding !== undefined) return { encoding, markBytes: 0 };
  if (marked !== undefined) return { encoding: marked.encoding, markBytes: 2 };
  if (head.length > 1 && (a === 0) !== (b === 0)) {
    throw new InvalidDatasetError(
      `${uri} is UTF-16 without a byte order mark, it seems. Say so with csv_encoding (--csv-encoding utf-16le), or convert it first, for example: iconv -f UTF-16LE -t UTF-8 in > out`,
    );
  }
  return { encoding: 'utf-8', markBytes: 0 };
}

/** Decodes a text, chunk by chunk; UTF-8 is only proven to be it. Throws InvalidDatasetError, with the line, where it is none. */
export function createDecoding(uri: S3Uri, encoding: string): TextDecoding {
  return encoding === 'utf-8' ? createUtf8Check(uri) : createConversion(uri, encoding);
}

function createConversion(uri: S3Uri, encoding: string): TextDecoding {
  // By their names the two differ in 0x80 to 0x9F; to a web browser, which this decoder is made for, they do not.
  if (encoding === 'iso-8859-1') {
    return { push: (bytes) => Buffer.from(bytes.toString('latin1')), end: () => Buffer.alloc(0) };
  }
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  let line = 1;
  let newline: number | undefined;
  const decode = (bytes: Buffer, stream: boolean): Buffer => {
    try {
      const text = Buffer.from(decoder.decode(bytes, { stream }));
      newline ??= newlineOf(text);
      line += countNewlines(text, newline);
      return text;
    } catch (error) {
      throw new InvalidDatasetError(
        `${uri} is not ${encoding}: at line ${line} or soon after there are bytes that are no character. Give another csv_encoding (--csv-encoding).`,
        { cause: error },
      );
    }
  };
  return { push: (bytes) => decode(bytes, true), end: () => decode(Buffer.alloc(0), false) };
}

/** Checks chunk by chunk; a character may lie across two. */
function createUtf8Check(uri: S3Uri): TextDecoding {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  let newline: number | undefined;
  const refuse = (at: number): never => {
    throw new InvalidDatasetError(
      `Line ${at} of ${uri} is not UTF-8 (perhaps Windows-1252 or Latin-1). For CSV, name its encoding with csv_encoding (--csv-encoding windows-1252); or convert the file first, for example: iconv -f WINDOWS-1252 -t UTF-8 in > out`,
    );
  };
  return {
    push: (bytes) => {
      const whole = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const end = whole.length - unfinishedBytes(whole);
      const checked = whole.subarray(0, end);
      newline ??= newlineOf(checked);
      if (!isUtf8(checked)) refuse(line + lineOfBadByte(checked, newline));
      line += countNewlines(checked, newline);
      rest = Buffer.from(whole.subarray(end));
      return bytes;
    },
    end: () => {
      if (rest.length > 0) refuse(line);
      return Buffer.alloc(0);
    },
  };
}

/** Bytes at the end that may be the beginning of a character. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

function lineOfBadByte(bytes: Buffer, newline: number): number {
  let line = 0;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(newline, start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    line += 1;
    start = end + 1;
  }
}

/** How many newlines there are; `newline` is the byte that is one. */
export function countNewlines(bytes: Buffer, newline = NEWLINE): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}

/** What ends the lines of a text that begins so. */
function newlineOf(bytes: Buffer): number {
  return bytes.includes(RETURN) && !bytes.includes(NEWLINE) ? RETURN : NEWLINE;
}
