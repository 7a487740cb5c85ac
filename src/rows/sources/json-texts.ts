import { InvalidDatasetError } from '../../core/errors.ts';
import type { SourceFile } from './source-bytes.ts';

/** Longest record of JSON, in bytes: a line, or an entry of a list. */
export const MAX_JSON_RECORD_BYTES = 16_000_000;

/** The text of one record, and the line that it begins in. */
export interface JsonText {
  text: string;
  line: number;
}

const NEWLINE = 10;

/** The lines of a file that say something. Throws InvalidDatasetError where one is too long. */
export async function* readJsonLines(
  file: SourceFile,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<JsonText> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = 0;
  for await (const bytes of chunks) {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const piece = bytes.subarray(start, end);
      if (restBytes + piece.length > MAX_JSON_RECORD_BYTES) throw tooLong(file, line + 1);
      const text = (rest.length === 0 ? piece : Buffer.concat([...rest, piece])).toString();
      rest = [];
      restBytes = 0;
      line += 1;
      start = end + 1;
      if (text.trim() !== '') yield { text, line };
    }
    if (start < bytes.length) {
      rest.push(bytes.subarray(start));
      restBytes += bytes.length - start;
      if (restBytes > MAX_JSON_RECORD_BYTES) throw tooLong(file, line + 1);
    }
  }
  const text = Buffer.concat(rest).toString();
  if (text.trim() !== '') yield { text, line: line + 1 };
}

/** What to say of a record that is longer than any may be. */
export function tooLong(file: SourceFile, line: number): InvalidDatasetError {
  return new InvalidDatasetError(
    `Line ${line} of ${file.uri} begins a record of more than ${MAX_JSON_RECORD_BYTES} bytes. Convert the file to Parquet, or shorten the record.`,
  );
}
