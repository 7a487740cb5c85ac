import type { RowWindow } from '../bytes/source-bytes.ts';
import { sqlPath } from '../duckdb/duckdb.ts';
import { expectRows } from './expect-rows.ts';
import { nameOfSeveral } from './small-files.ts';
import type { FileRead, SourceRelation } from './source-relation.ts';
import type { TextPiece } from './text-pieces.ts';
import type { TextRecords } from './text-records.ts';

/**
 * The records of files one after the other, with their rows numbered as those of all; of several files, the header of the first.
 * Throws LedgerMismatchError where a file ends before the last row that is wanted, and where a whole one has more.
 */
export async function* recordsInTurn(
  reads: readonly FileRead[],
  { open, hasHeader }: { open: (read: FileRead) => AsyncIterable<TextRecords>; hasHeader: boolean },
): AsyncGenerator<TextRecords> {
  for (const [index, read] of reads.entries()) {
    const { file, windows, firstRow: first = 0, wholeBytes } = read;
    const last = windows.at(-1);
    let rows = 0;
    let isHeader = hasHeader;
    for await (const records of open(read)) {
      rows = records.firstRow + records.rows;
      if (!isHeader || index === 0) yield { ...records, firstRow: first + records.firstRow };
      isHeader = false;
    }
    const wanted = last === undefined ? 0 : last.firstRow + last.rows;
    if (rows < wanted || wholeBytes !== undefined) expectRows(rows, wanted, file.uri);
  }
}

/** The windows of reads, numbered as the rows of all; of several files one, as these are read whole. */
export function windowsOf(reads: readonly FileRead[]): RowWindow[] {
  const windows = reads.flatMap(({ windows: ofFile, firstRow: first = 0 }) =>
    ofFile.map((window) => ({ ...window, firstRow: first + window.firstRow })),
  );
  const [whole] = windows;
  if (reads.length <= 1 || whole === undefined) return windows;
  return [{ firstRow: whole.firstRow, rows: windows.reduce((sum, { rows }) => sum + rows, 0) }];
}

/** What reads are called together. */
export function nameOf(reads: readonly FileRead[]): string {
  return nameOfSeveral(reads.map(({ file }) => file.uri));
}

/** A piece's rows, read as `from` does. */
export function relationOf(piece: TextPiece, name: string, from: string): SourceRelation {
  const { firstRow, rows } = piece;
  return {
    name,
    firstRow,
    rows,
    from,
    rowNumber: numberSql(firstRow),
    [Symbol.asyncDispose]: () => piece[Symbol.asyncDispose](),
  };
}

/** SQL for the numbers of rows that are read one after the other. */
export function numberSql(firstRow: number): string {
  return `(row_number() OVER () + ${firstRow - 1})`;
}

/** On one thread, DuckDB reads the files of a list one after the other. */
export function listSql(paths: readonly string[]): string {
  return `[${paths.map(sqlPath).join(', ')}]`;
}
