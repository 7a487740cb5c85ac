import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openLineWriter } from '../bytes/line-writer.ts';
import { type DuckDb, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet, parquetRangeSql, readParquetSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { readJsonSql } from './output-line.ts';
import type { TypedReader } from './typed-answer.ts';

/** Answers that JavaScript holds at once. */
const PAGE_ROWS = WORKING_ROW_GROUPS.rows;

interface TypeAnswersRequest {
  /** What `copyAnswers` wrote; it is replaced. */
  path: string;
  columns: ResultColumns;
  readTyped: TypedReader;
  bytesPerRow: number;
  scratchDirectory: string;
}

/**
 * Reads each answer of a file as an object of the schema, and adds a column for each of its properties; an answer that
 * is not of the schema becomes an error beside it, and keeps its tokens. Gives how many were mended.
 */
export async function typeAnswers(db: DuckDb, request: TypeAnswersRequest): Promise<number> {
  const { path, columns, bytesPerRow, scratchDirectory } = request;
  const linesPath = join(scratchDirectory, 'typed.jsonl');
  const typedPath = `${path}.typed`;
  const { mended, longestBytes } = await writeTypedLines(db, linesPath, request);
  const lines = readJsonSql(
    linesPath,
    [
      ['place', 'BIGINT'],
      ['code', 'VARCHAR'],
      ['message', 'VARCHAR'],
      ...columns.properties.map(({ key, type }): [string, string] => [key, type]),
    ],
    longestBytes,
  );
  const keys = columns.properties.map(({ key }) => `typed.${key}`);
  // The places are compared, as nobody promises that two readers keep their order.
  const sql = `SELECT read.* REPLACE (
      CASE WHEN typed.place = read.file_row_number THEN coalesce(read.error_code, typed.code) ELSE error('Typed answers are out of place.') END AS error_code,
      coalesce(read.error_message, typed.message) AS error_message), ${keys.join(', ')}
    FROM (SELECT *, file_row_number FROM ${readParquetSql(path)}) AS read POSITIONAL JOIN (SELECT * FROM ${lines}) AS typed`;
  await copyToParquet(db, {
    sql: `SELECT * EXCLUDE (file_row_number) FROM (${sql})`,
    path: typedPath,
    compression: 'uncompressed',
    bytesPerRow,
    rowGroups: WORKING_ROW_GROUPS,
  });
  await rename(typedPath, path);
  await rm(linesPath, { force: true });
  return mended;
}

async function writeTypedLines(
  db: DuckDb,
  linesPath: string,
  { path, columns, readTyped }: TypeAnswersRequest,
): Promise<{ mended: number; longestBytes: number }> {
  const { rows } = await db.row(
    `SELECT CAST(sum(num_rows) AS DOUBLE) AS "rows" FROM parquet_file_metadata(${sqlText(path)})`,
  );
  await using writer = openLineWriter(linesPath);
  let mended = 0;
  for (let firstRow = 0; firstRow < Number(rows); firstRow += PAGE_ROWS) {
    const page = await db.rows(
      `SELECT ${columns.answer.key} AS answer, stop_reason FROM ${parquetRangeSql({ path, firstRow, rows: PAGE_ROWS })} ORDER BY file_row_number`,
    );
    for (const [index, { answer, stop_reason }] of page.entries()) {
      const line: Record<string, unknown> = { place: firstRow + index };
      if (answer !== null) {
        const read = readTyped(String(answer), stop_reason === null ? null : String(stop_reason));
        if (read.kind === 'typed') {
          mended += read.isMended ? 1 : 0;
          for (const [at, { key }] of columns.properties.entries()) line[key] = read.values[at];
        } else {
          line.code = read.errorCode;
          line.message = read.errorMessage;
        }
      }
      await writer.write(line);
    }
  }
  return { mended, ...(await writer.end()) };
}
