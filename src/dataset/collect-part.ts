import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidRunInputError, LedgerMismatchError } from '../core/errors.ts';
import type { Reason, RowCounts, TokenCounts } from '../core/ledger.ts';
import type { RetryPolicy } from '../core/retry-policy.ts';
import type { OutputShape } from '../models/output-shape.ts';
import { answersOfOutputSql, answersOfRewrittenSql } from './answers.ts';
import { columnText } from './column-text.ts';
import { type DuckDb, openDuckDb, sqlName, sqlText } from './duckdb.ts';
import { outputShapeSql } from './output-shape-sql.ts';
import { countOwed } from './owed-records.ts';
import { copyToParquet, readParquetColumns, readParquetSql } from './parquet.ts';
import { rewriteOutput } from './read-output.ts';
import { readLedger } from './read-results.ts';
import { ATTEMPTS_COLUMN, ERROR_CODE_COLUMN, RECORD_ID_COLUMN } from './record-sql.ts';

/** Memory that DuckDB may use for one part. */
export const COLLECT_MEMORY_MB = 1024;

/** What a part's job left, and where its result goes. */
export interface CollectRequest {
  /** The part's rows, as Prepare left them. */
  rowsPath: string;
  /** The job's `.jsonl.out` files; may be none. */
  outputPaths: string[];
  shape: OutputShape;
  outputColumn: string;
  recordIdColumn: string | undefined;
  /** Says which records are owed another attempt. */
  retry: RetryPolicy;
  /** What to say of a record that has no output line. */
  unanswered: { errorCode: string; errorMessage: string; sent: boolean };
  resultPath: string;
  scratchDirectory: string;
  /** @default COLLECT_MEMORY_MB */
  memoryMb?: number;
}

/** What became of a part's rows. */
export interface CollectedPart {
  rows: RowCounts;
  tokens: TokenCounts;
  reasons: Reason[];
  stray_lines: number;
  /** Records that are owed another attempt. */
  owed: number;
}

/**
 * Joins what a job left to its part's rows, by record id: one result row for each, in the same order. Throws
 * LedgerMismatchError where the result is not exactly that.
 */
export async function collectPart(request: CollectRequest): Promise<CollectedPart> {
  const { scratchDirectory, memoryMb = COLLECT_MEMORY_MB } = request;
  await mkdir(scratchDirectory, { recursive: true });
  await using db = await openDuckDb({ memoryMb, threads: 2, scratchDirectory });
  const lines = await loadAnswers(db, request);
  await dropRepeatedAnswers(db);
  const answered = await writeResult(db, request);
  return {
    ...(await readLedger(db, [request.resultPath])),
    stray_lines: lines - answered,
    owed: await countOwed(db, request.resultPath, request.retry),
  };
}

/** Loads every output file into the table `answers`, in the order of its lines. Gives the number of all lines. */
async function loadAnswers(
  db: DuckDb,
  { outputPaths, shape, scratchDirectory }: CollectRequest,
): Promise<number> {
  await db.run(`CREATE TABLE answers (record_id VARCHAR, answer ${outputShapeSql(shape).answerType}, stop_reason VARCHAR,
    input_tokens BIGINT, output_tokens BIGINT, error_code VARCHAR, error_message VARCHAR)`);
  let unreadable = 0;
  for (const path of outputPaths) {
    try {
      await db.run(`INSERT INTO answers ${answersOfOutputSql(path, shape)}`);
    } catch (error) {
      // A lone surrogate, a truncated line, a value of another type: DuckDB gives the whole file up.
      if (!isUnreadableContent(error)) throw error;
      const rewritten = join(scratchDirectory, 'rewritten.jsonl');
      const read = await rewriteOutput(path, rewritten, shape);
      unreadable += read.unreadable;
      await db.run(`INSERT INTO answers ${answersOfRewrittenSql(rewritten, shape, read.longestBytes)}`);
      await rm(rewritten, { force: true });
    }
  }
  const { lines } = await db.row('SELECT CAST(count(*) AS DOUBLE) AS lines FROM answers');
  return Number(lines) + unreadable;
}

/** Keeps one line of each record: the first success, or the first line where there is none. */
async function dropRepeatedAnswers(db: DuckDb): Promise<void> {
  await db.run(`DELETE FROM answers WHERE record_id IS NULL OR record_id IN (
      SELECT record_id FROM answers GROUP BY record_id HAVING count(*) > 1
    ) AND rowid NOT IN (
      SELECT arg_min(rowid, (CASE WHEN answer IS NULL THEN 1 ELSE 0 END, rowid)) FROM (SELECT rowid, record_id, answer FROM answers) GROUP BY record_id
    )`);
}

async function writeResult(db: DuckDb, request: CollectRequest): Promise<number> {
  const { rowsPath, resultPath } = request;
  const sql = await resultSql(db, request);
  // A join keeps the order of its rows on one thread only, and only while it fits into memory.
  await db.run('SET threads = 1');
  await copyToParquet(db, { sql, path: resultPath, compression: 'snappy' });
  const matched = await countInOrder(db, request);
  if (matched !== undefined) return matched;
  await copyToParquet(db, {
    sql: `${sql} ORDER BY input.file_row_number`,
    path: resultPath,
    compression: 'snappy',
  });
  const matchedAfterSort = await countInOrder(db, request);
  if (matchedAfterSort !== undefined) return matchedAfterSort;
  throw new LedgerMismatchError(
    `The result ${resultPath} does not have the rows of ${rowsPath}, in their order.`,
  );
}

async function resultSql(db: DuckDb, request: CollectRequest): Promise<string> {
  const { rowsPath, outputColumn, recordIdColumn, unanswered } = request;
  const names = (await readParquetColumns(db, rowsPath)).map(({ name }) => name);
  const inputs = names.filter((name) => !ADDED_COLUMNS.includes(name));
  const before = names.includes(ATTEMPTS_COLUMN) ? `input.${ATTEMPTS_COLUMN}` : '0';
  const answered = 'answers.record_id IS NOT NULL';
  const unsent = `input.${ERROR_CODE_COLUMN}`;
  const choose = (ofUnsent: string, ofAnswered: string, ofUnanswered: string) =>
    `CASE WHEN ${unsent} IS NOT NULL THEN ${ofUnsent} WHEN ${answered} THEN ${ofAnswered} ELSE ${ofUnanswered} END`;
  const outputs: [name: string, sql: string][] = [
    [outputColumn, 'answers.answer'],
    ...(recordIdColumn === 'record_id'
      ? []
      : [['record_id', `input.${RECORD_ID_COLUMN}`] as [string, string]]),
    ['error_code', choose(unsent, 'answers.error_code', sqlText(unanswered.errorCode))],
    [
      'error_message',
      choose(sqlText(unsentMessage), 'answers.error_message', sqlText(unanswered.errorMessage)),
    ],
    ['stop_reason', 'answers.stop_reason'],
    ['input_tokens', 'answers.input_tokens'],
    ['output_tokens', 'answers.output_tokens'],
    [
      'attempts',
      `CAST(${choose('0', `${before} + 1`, unanswered.sent ? `${before} + 1` : before)} AS INTEGER)`,
    ],
  ];
  const taken = new Set(inputs.map((name) => name.toLowerCase()));
  const clash = outputs.find(([name]) => taken.has(name.toLowerCase()));
  if (clash !== undefined) {
    throw new InvalidRunInputError(
      `The dataset has a column "${clash[0]}", which Quarry adds to the results. Rename it, or choose another output_column.`,
    );
  }
  const columns = [
    ...inputs.map((name) => `input.${sqlName(name)}`),
    ...outputs.map(([name, sql]) => `${sql} AS ${sqlName(name)}`),
  ];
  return `SELECT ${columns.join(', ')} FROM (SELECT *, file_row_number FROM ${readParquetSql(rowsPath)}) AS input
    LEFT JOIN answers ON answers.record_id = CASE WHEN ${unsent} IS NULL THEN input.${RECORD_ID_COLUMN} END`;
}

/** What Prepare and Repack add to the rows. */
const ADDED_COLUMNS = [RECORD_ID_COLUMN, ERROR_CODE_COLUMN, ATTEMPTS_COLUMN];
const unsentMessage = 'A column that the prompt needs is null in this row, so the row was not sent.';

/** How many rows have an answer line, or undefined where the result's record ids are not those of the rows, in place. */
async function countInOrder(
  db: DuckDb,
  { rowsPath, resultPath }: CollectRequest,
): Promise<number | undefined> {
  const column = (await readParquetColumns(db, resultPath)).find(({ name }) => name === 'record_id');
  const id = column === undefined ? 'NULL' : columnText(column);
  const { wrong, matched } = await db.row(`SELECT
      CAST(count(*) FILTER (expected.id IS DISTINCT FROM actual.id) AS DOUBLE) AS wrong,
      CAST(count(answers.record_id) AS DOUBLE) AS matched
    FROM (SELECT ${RECORD_ID_COLUMN} AS id, CASE WHEN ${ERROR_CODE_COLUMN} IS NULL THEN ${RECORD_ID_COLUMN} END AS sent_id, file_row_number AS place FROM ${readParquetSql(rowsPath)}) AS expected
    FULL JOIN (SELECT ${id} AS id, file_row_number AS place FROM ${readParquetSql(resultPath)}) AS actual USING (place)
    LEFT JOIN (SELECT record_id FROM answers) AS answers ON answers.record_id = expected.sent_id`);
  return Number(wrong) === 0 ? Number(matched) : undefined;
}

function isUnreadableContent(error: unknown): boolean {
  return error instanceof Error && /^(Invalid Input|Conversion) Error/.test(error.message);
}
