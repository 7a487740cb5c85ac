import { InvalidDatasetError } from '../../core/errors.ts';
import { linesOf } from '../../core/text/lines.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';

/** Longest record of JSON, in bytes: a line, or an entry of a list. */
export const MAX_JSON_RECORD_BYTES = 16_000_000;

/** The text of one record, and the line that it begins in. */
export interface JsonText {
  text: string;
  line: number;
}

/** The lines of a file that say something. Throws InvalidDatasetError where one is too long. */
export async function* readJsonLines(
  file: SourceFile,
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<JsonText> {
  const limit = { maxBytes: MAX_JSON_RECORD_BYTES, tooLong: (long: number) => tooLong(file, long) };
  let line = 0;
  for await (const bytes of linesOf(chunks, limit)) {
    const text = bytes.toString();
    line += 1;
    if (text.trim() !== '') yield { text, line };
  }
}

/** What to say of a record that is longer than any may be. */
export function tooLong(file: SourceFile, line: number): InvalidDatasetError {
  return new InvalidDatasetError(
    `Line ${line} of ${file.uri} begins a record of more than ${MAX_JSON_RECORD_BYTES} bytes. Convert the file to Parquet, or shorten the record.`,
  );
}
