import type { RowWindow } from '../bytes/source-bytes.ts';
import { openDuckDb } from '../duckdb/duckdb.ts';
import { readParquetColumns, readParquetSql } from '../duckdb/parquet.ts';
import { LAID_PREFIX, REUSED_FROM_COLUMN } from '../prepare/record-sql.ts';
import { fetchColumns, type RemoteResult } from '../results/read-results.ts';
import type { ResultColumns } from '../results/result-columns.ts';

const LAID_MEMORY_MB = 256;

/**
 * Answers that are there before a run has sent anything, laid into their rows: a Parquet file with a row for each row of the
 * dataset that gets one, in their order. `row` is its global number; `key` is what it must ask for the answer to
 * be its own, or null where whoever laid it has seen to that; `reused_from` names the run that paid; and there is
 * a column for each key of the answer's own columns and properties.
 */
export interface LaidAnswers {
  path: string;
  rows: number;
}

/** SQL for the numbers of the rows that have a laid answer. */
export function laidRowsSql({ path }: LaidAnswers): string {
  return `SELECT "row" FROM ${readParquetSql(path)}`;
}

/** SQL for the laid answers of a range of rows. */
export function laidSql(path: string, { firstRow, rows }: RowWindow): string {
  return `SELECT * FROM ${readParquetSql(path)} WHERE "row" >= ${firstRow} AND "row" < ${firstRow + rows}`;
}

/** Fetches the laid answers of a range of the dataset's rows, and of no others, where the file is not here. */
export async function fetchLaidRows(
  laid: RemoteResult,
  { range, scratchDirectory }: { range: RowWindow; scratchDirectory: string },
): Promise<void> {
  await using db = await openDuckDb({ memoryMb: LAID_MEMORY_MB, threads: 1, scratchDirectory });
  await fetchColumns(db, laid, ['row']);
  const end = range.firstRow + range.rows;
  const { before, within } =
    await db.row(`SELECT CAST(count(*) FILTER ("row" < ${range.firstRow}) AS DOUBLE) AS before,
    CAST(count(*) FILTER ("row" >= ${range.firstRow} AND "row" < ${end}) AS DOUBLE) AS within FROM ${readParquetSql(laid.path)}`);
  const names = (await readParquetColumns(db, laid.path)).map(({ name }) => name);
  await laid.fetchRows(names, { firstRow: Number(before), rows: Number(within) });
}

/** The columns of a file of laid answers that are what an answer is, by their keys. */
export function laidKeys({ answers, properties }: ResultColumns): string[] {
  return [...answers, ...properties].map(({ key }) => key);
}

/** The names that a part's rows have for them. */
export function laidName(key: string): string {
  return `${LAID_PREFIX}${key}`;
}

/** SQL for the columns that a part's rows get of `laid`, of which `hash` must be the key where it has one. */
export function laidColumnsSql(columns: ResultColumns, hash: string): string[] {
  const isOther = `laid.key IS NOT NULL AND laid.key IS DISTINCT FROM ${hash}`;
  const from = `CASE WHEN ${isOther} THEN error('An answer was laid into the row of another request.') ELSE laid.reused_from END`;
  return [
    `${from} AS ${REUSED_FROM_COLUMN}`,
    ...laidKeys(columns).map((key) => `laid.${key} AS ${laidName(key)}`),
  ];
}
