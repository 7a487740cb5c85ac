import type { RowWindow } from '../bytes/source-bytes.ts';

/** Whole records of a text file, one after the other, with the newlines after them. */
export interface TextRecords extends RowWindow {
  /** Their bytes, which may lie in several pieces. Not all of them are rows: a header is none, nor is a blank line that says nothing. */
  chunks: Buffer[];
}

/** Finds where the records of a file end, from chunk to chunk. */
export interface RecordScanner {
  /** Rows that have ended so far. */
  rows(): number;
  /**
   * Runs through a chunk from `from` to its end, or to the end of the header or of the `untilRow`th row of the file. Gives
   * how far it came, and where the last record ended that did; `from` or less where none has.
   */
  scan(chunk: Buffer, from: number, untilRow: number): { to: number; wholeTo: number };
  /** Ends a last record that has no newline; gives the newline that it should have. */
  end(): Buffer;
}

/**
 * Cuts a file's bytes into runs of whole records. None has rows from both sides of a bound; bounds are numbers of rows, in
 * order. A header is a run of its own.
 */
export async function* cutRecords(
  bytes: AsyncIterable<Buffer>,
  scanner: RecordScanner,
  bounds: readonly number[],
): AsyncGenerator<TextRecords> {
  const ahead = [...bounds, Number.POSITIVE_INFINITY];
  let rest: Buffer[] = [];
  for await (const chunk of bytes) {
    let [at, start] = [0, 0];
    while (at < chunk.length) {
      const firstRow = scanner.rows();
      while ((ahead[0] ?? 0) <= firstRow) ahead.shift();
      const { to, wholeTo } = scanner.scan(chunk, at, ahead[0] ?? 0);
      at = to;
      if (wholeTo <= start) continue;
      yield {
        chunks: [...rest, chunk.subarray(start, wholeTo)],
        firstRow,
        rows: scanner.rows() - firstRow,
      };
      rest = [];
      start = wholeTo;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length === 0) return;
  const firstRow = scanner.rows();
  const newline = scanner.end();
  yield { chunks: [...rest, newline], firstRow, rows: scanner.rows() - firstRow };
}
