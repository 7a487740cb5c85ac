import { InvalidDatasetError } from '../../core/errors.ts';
import type { DriftedColumn, TextLayout } from '../../core/plan/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { ReadFileOptions } from '../../store/file-bytes.ts';
import { compressionOf } from '../sources/source-name.ts';
import { createDecoding, ENCODING_HEAD_BYTES, encodingOf, type TextDecoding } from './source-encoding.ts';
import { isUnpackError, readUnpacked } from './unpacked-bytes.ts';

/** Consecutive rows of a file. */
export interface RowWindow {
  firstRow: number;
  rows: number;
}

/** A dataset file on this machine. */
export interface SourceFile {
  uri: S3Uri;
  path: string;
  /** True where the file at the path is unpacked UTF-8 already, whatever its name and layout say. */
  isUnpacked?: true;
  /** What Plan found a text file to be like; absent where it is as its name says. */
  layout?: TextLayout;
  /** Columns that are read in another type than the file's, or as nulls. */
  drift?: readonly DriftedColumn[];
  /** Where not all of the file is here: brings rows of columns here. To be called before they are read. */
  fetchRows?: (columns: readonly string[], window: RowWindow) => Promise<void>;
  /** Where the file comes here only when it is read: brings it, and keeps it until the result is disposed of. */
  hold?: () => Promise<AsyncDisposable>;
}

/** How a text file's bytes are read. */
export interface ReadBytesOptions extends ReadFileOptions {
  /** Of the text; undefined: as its byte order mark says, or UTF-8. */
  encoding?: string | undefined;
  /** Told what the text is encoded in, before its first bytes are given. */
  onEncoding?: (encoding: string) => void;
}

/** The bytes of a text file, unpacked, as UTF-8, without a byte order mark. */
export async function* readSourceBytes(
  file: SourceFile,
  { encoding: given, onEncoding = () => {}, isLent }: ReadBytesOptions = {},
): AsyncGenerator<Buffer> {
  const { uri, path, isUnpacked } = file;
  const wanted = isUnpacked === true ? 'utf-8' : (given ?? file.layout?.encoding);
  await using _held = await file.hold?.();
  let decoding: TextDecoding | undefined;
  let head: Buffer = Buffer.alloc(0);
  const begin = (): Buffer => {
    const { encoding, markBytes } = encodingOf(head, { uri, encoding: wanted });
    onEncoding(encoding);
    decoding = createDecoding(uri, encoding);
    return decoding.push(head.subarray(markBytes));
  };
  try {
    const compression = isUnpacked === true ? 'none' : compressionOf(uri);
    for await (const chunk of readUnpacked(path, compression, { isLent })) {
      let bytes: Buffer;
      if (decoding === undefined) {
        // A decompressor may begin with a chunk that is shorter than a byte order mark.
        head = Buffer.concat([head, chunk]);
        if (head.length < ENCODING_HEAD_BYTES) continue;
        bytes = begin();
      } else {
        bytes = decoding.push(chunk);
      }
      if (bytes.length > 0) yield bytes;
    }
    if (decoding === undefined && head.length > 0) {
      const bytes = begin();
      if (bytes.length > 0) yield bytes;
    }
    const rest = decoding?.end();
    if (rest !== undefined && rest.length > 0) yield rest;
  } catch (error) {
    if (!isUnpackError(error)) throw error;
    throw new InvalidDatasetError(
      `${uri} cannot be unpacked: ${error.message}. Its ending says that it is compressed: upload it again, or rename it.`,
      { cause: error },
    );
  }
}
