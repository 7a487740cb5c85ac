import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openLineWriter } from '../bytes/line-writer.ts';
import { type DuckDb, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetSql, WORKING_ROW_GROUPS } from '../duckdb/parquet.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { readAnswerPage } from './answer-page.ts';
import { readJsonSql } from './output-line.ts';
import type { TypedReader } from './typed-answer.ts';

/** Most answers that JavaScript holds at once: each look into the file costs as much as some hundred of them. */
const MOST_PAGE_ROWS = 2 * WORKING_ROW_GROUPS.rows;
/** Most bytes of these, by the mean of whole output lines, which have more than the answers. */
const PAGE_BYTES = 16_000_000;

/** How answers fared against their schema. */
export interface CheckedAnswers {
  /** Answers that were looked at. */
  checked: number;
  /** Of these, those that were an object only without the text around it, or a comma too many. */
  mended: number;
  /** Answers in which a property is wrong or missing, by its name. */
  violations: Map<string, number>;
}

/** Adds the counts of one file to those of others. */
export function addChecked(sum: CheckedAnswers, more: CheckedAnswers): void {
  sum.checked += more.checked;
  sum.mended += more.mended;
  for (const [property, answers] of more.violations) {
    sum.violations.set(property, (sum.violations.get(property) ?? 0) + answers);
  }
}

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
 * is not of the schema becomes an error beside it, and keeps its tokens.
 */
export async function typeAnswers(db: DuckDb, request: TypeAnswersRequest): Promise<CheckedAnswers> {
  const { path, columns, bytesPerRow, scratchDirectory } = request;
  const linesPath = join(scratchDirectory, 'typed.jsonl');
  const typedPath = `${path}.typed`;
  const { longestBytes, ...checked } = await writeTypedLines(db, linesPath, request);
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
  return checked;
}

async function writeTypedLines(
  db: DuckDb,
  linesPath: string,
  { path, columns, readTyped, bytesPerRow }: TypeAnswersRequest,
): Promise<CheckedAnswers & { longestBytes: number }> {
  const { rows } = await db.row(
    `SELECT CAST(sum(num_rows) AS DOUBLE) AS "rows" FROM parquet_file_metadata(${sqlText(path)})`,
  );
  await using writer = openLineWriter(linesPath);
  const keys = columns.properties.map(({ key }) => key);
  const counts: CheckedAnswers = { checked: 0, mended: 0, violations: new Map() };
  const pageRows = Math.max(1, Math.min(MOST_PAGE_ROWS, Math.floor(PAGE_BYTES / (bytesPerRow + 1))));
  for (let firstRow = 0; firstRow < Number(rows); firstRow += pageRows) {
    const page = await readAnswerPage(db, { path, firstRow, rows: pageRows });
    for (const [index, answer] of page.entries()) {
      const line: Record<string, unknown> = { place: firstRow + index };
      if (answer !== null) {
        const read = readTyped(answer.text, answer.stopReason);
        counts.checked += 1;
        if (read.kind === 'typed') {
          counts.mended += read.isMended ? 1 : 0;
          for (let at = 0; at < keys.length; at += 1) line[keys[at] as string] = read.values[at];
        } else {
          line.code = read.errorCode;
          line.message = read.errorMessage;
          for (const property of read.properties) {
            counts.violations.set(property, (counts.violations.get(property) ?? 0) + 1);
          }
        }
      }
      const written = writer.write(line);
      if (written !== undefined) await written;
    }
  }
  return { ...counts, ...(await writer.end()) };
}
