import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { pipeline, Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { parseSourceName } from './source-name.ts';

/** Consecutive rows of a file. */
export interface RowWindow {
  firstRow: number;
  rows: number;
}

/** A dataset file on this machine. */
export interface SourceFile {
  uri: S3Uri;
  path: string;
  /** True where the file at the path is unpacked already, whatever its name says. */
  isUnpacked?: true;
  /** Where not all of the file is here: brings rows of columns here. To be called before they are read. */
  fetchRows?: (columns: readonly string[], window: RowWindow) => Promise<void>;
  /** Where the file comes here only when it is read: brings it, and keeps it until the result is disposed of. */
  hold?: () => Promise<AsyncDisposable>;
}

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;
/** Of the UTF-8 byte order mark. */
const MARK_BYTES = 3;

/** The bytes of a text file, unpacked, without a byte order mark, and proven to be UTF-8. */
export async function* readSourceBytes(file: SourceFile): AsyncGenerator<Buffer> {
  const { uri } = file;
  await using _held = await file.hold?.();
  const utf8 = createUtf8Check(uri);
  let head: Buffer | undefined = Buffer.alloc(0);
  try {
    for await (const chunk of unpacked(file)) {
      let bytes = chunk;
      if (head !== undefined) {
        // A decompressor may begin with a chunk that is shorter than a byte order mark.
        head = Buffer.concat([head, chunk]);
        if (head.length < MARK_BYTES) continue;
        bytes = withoutMark(uri, head);
        head = undefined;
      }
      utf8.push(bytes);
      yield bytes;
    }
    if (head !== undefined && head.length > 0) {
      utf8.push(head);
      yield head;
    }
    utf8.end();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_') || code?.startsWith('ZSTD_')) {
      throw new InvalidDatasetError(
        `${uri} cannot be unpacked (${(error as Error).message}). Its ending says that it is compressed: upload it again, or rename it.`,
        { cause: error },
      );
    }
    throw error;
  }
}

function unpacked({ uri, path, isUnpacked }: SourceFile): AsyncIterable<Buffer> {
  const packed = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const compression = parseSourceName(uri)?.compression ?? 'none';
  if (compression === 'none' || isUnpacked === true) return packed;
  const unpack =
    compression === 'gzip'
      ? createGunzip({ chunkSize: CHUNK_BYTES })
      : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  const end = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
  pipeline(packed, unpack, end, () => {
    // The error reaches the reader of `end`.
  });
  return end;
}

function withoutMark(uri: S3Uri, bytes: Buffer): Buffer {
  const [a, b, c] = bytes;
  const utf16 = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0) !== (b === 0);
  if (utf16) {
    throw new InvalidDatasetError(
      `${uri} is UTF-16, not UTF-8. Convert it first, for example: iconv -f UTF-16 -t UTF-8 in > out`,
    );
  }
  return a === 0xef && b === 0xbb && c === 0xbf ? bytes.subarray(3) : bytes;
}

/** Checks chunk by chunk; a character may lie across two. */
function createUtf8Check(uri: S3Uri): { push(bytes: Buffer): void; end(): void } {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  const refuse = (at: number): never => {
    throw new InvalidDatasetError(
      `Line ${at} of ${uri} is not UTF-8 (perhaps Latin-1 or Windows-1252). Convert the file first, for example: iconv -f WINDOWS-1252 -t UTF-8 in > out`,
    );
  };
  return {
    push: (bytes) => {
      const whole = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const end = whole.length - unfinishedBytes(whole);
      const checked = whole.subarray(0, end);
      if (!isUtf8(checked)) refuse(line + lineOfBadByte(checked));
      line += countNewlines(checked);
      rest = Buffer.from(whole.subarray(end));
    },
    end: () => {
      if (rest.length > 0) refuse(line);
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

function lineOfBadByte(bytes: Buffer): number {
  let line = 0;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line;
    line += 1;
    start = end + 1;
  }
}

/** How many newlines there are. */
export function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
