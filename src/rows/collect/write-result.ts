import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { SCHEMA_REFUSED } from '../../core/jobs/retry-policy.ts';
import { balancedRanges } from '../../core/plan/packing.ts';
import { privately } from '../../core/text/private-text.ts';
import { laidName } from '../answers/laid-answers.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, sqlName, sqlText } from '../duckdb/duckdb.ts';
import { copyToParquet, readParquetColumns, readParquetSql, readParquetsSql } from '../duckdb/parquet.ts';
import {
  ANSWERED_BY_COLUMN,
  ANSWERED_BY_ROW_COLUMN,
  ATTEMPTS_COLUMN,
  ERROR_CODE_COLUMN,
  ERROR_MESSAGE_COLUMN,
  LAID_PREFIX,
  RECORD_ID_COLUMN,
  REQUEST_HASH_COLUMN,
  REUSED_FROM_COLUMN,
} from '../prepare/record-sql.ts';
import type { ResultColumn, ResultColumns } from '../results/result-columns.ts';
import { type Answers, hasNumbers } from './read-answers.ts';
import { unsentMessageSql } from './unsent-message.ts';

/** What becomes of a record that has no output line. */
export interface Unanswered {
  errorCode: string;
  errorMessage: string;
  /** True where that was one of its attempts. */
  sent: boolean;
}

/** What a result is written of, and where. */
export interface ResultRequest {
  /** The part's rows, as Prepare left them. */
  rowsPath: string;
  columns: ResultColumns;
  unanswered: Unanswered;
  resultPath: string;
  scratchDirectory: string;
}

/** What is to be known of a part's rows. */
export interface PartRows {
  names: readonly string[];
  rows: number;
  /** Of their values, unpacked. */
  bytes: number;
  /** Rows that are answered elsewhere; only then the result tells, in a column that Merge takes away, by which record. */
  elsewhere: number;
  /** SQL that is true of the rows that were sent. */
  isSent: string;
}

/** SQL that is true of a row that has the answer of another. */
export const IS_ELSEWHERE = `${ANSWERED_BY_COLUMN} IS NOT NULL`;

/** How much a result is. */
export interface ResultSize {
  answersSql: string;
  rows: number;
  answerBytes: number;
  bytesPerRow: number;
}

const BYTES_PER_FLOAT = 4;
/** Bytes that a Parquet writer holds for each number of a list: it keeps track of where lists begin. */
const BYTES_PER_LISTED_NUMBER = 16;

/** The size of a result before it is written, from the rows and from the answers. */
export function sizeOf(
  { columns }: Pick<ResultRequest, 'columns'>,
  input: PartRows,
  answers: Answers,
): ResultSize {
  const [bytes, writerBytes] = hasNumbers(columns) ? [BYTES_PER_FLOAT, BYTES_PER_LISTED_NUMBER] : [1, 1];
  return {
    answersSql: answers.sql,
    rows: input.rows,
    answerBytes: answers.size * bytes,
    bytesPerRow: (input.bytes + answers.size * writerBytes) / Math.max(1, input.rows),
  };
}

/**
 * Writes the result at once or, where the answers would not fit into memory, in sorted pieces that are put
 * together then. Unsorted, a join keeps the order of its rows while it runs on one thread and each row has exactly
 * one match; nobody promises it, so it is checked.
 */
export async function writeResult(
  db: DuckDb,
  request: ResultRequest,
  { answersSql, rows, bytesPerRow, input, pieces }: ResultSize & { input: PartRows; pieces: number },
): Promise<void> {
  const { resultPath, scratchDirectory } = request;
  const selectRows = resultSql(request, input, answersSql);
  if (pieces === 1) {
    const sql = selectRows(0, rows);
    await copyToParquet(db, { sql, path: resultPath, compression: 'snappy', bytesPerRow });
    return;
  }
  const paths: string[] = [];
  for (const piece of balancedRanges({ firstRow: 0, rows }, pieces)) {
    const path = join(scratchDirectory, `piece-${paths.length}.parquet`);
    const sql = `${selectRows(piece.firstRow, piece.firstRow + piece.rows)} ORDER BY input.${PLACE_COLUMN}`;
    await copyToParquet(db, { sql, path, compression: 'uncompressed', bytesPerRow });
    paths.push(path);
  }
  const sql = `SELECT * FROM ${readParquetsSql(paths)}`;
  await copyToParquet(db, { sql, path: resultPath, compression: 'snappy', bytesPerRow });
  await Promise.all(paths.map((path) => rm(path)));
}

/**
 * SQL for the result's rows from one place to before another. The LIMIT leaves none out: of what has a limit, COPY writes
 * the rows as they come; what is only joined it would collect for each thread first, a copy more.
 */
function resultSql(
  request: ResultRequest,
  input: PartRows,
  answersSql: string,
): (from: number, to: number) => string {
  const { rowsPath, columns } = request;
  const inputs = input.names.filter((name) => !isAdded(name));
  refuseClash(inputs, columns);
  const outputs = outputsSql(request, input);
  const selected = [
    ...inputs.map((name) => `input.${sqlName(name)}`),
    ...columns.all.map((column) => `${outputs(column)} AS ${sqlName(column.name)}`),
    ...(input.elsewhere === 0 ? [] : [`input.${ANSWERED_BY_COLUMN}`]),
  ];
  return (from, to) => `SELECT ${selected.join(', ')}
    FROM (SELECT *, file_row_number AS ${PLACE_COLUMN} FROM ${readParquetSql(rowsPath)} WHERE file_row_number >= ${from} AND file_row_number < ${to} LIMIT ${to - from}) AS input
    JOIN (
      SELECT matches.place, matches.answer_place, answers.* FROM (${answersSql}) AS answers RIGHT JOIN matches ON answers.line = matches.answer_place
      WHERE matches.place >= ${from} AND matches.place < ${to}
    ) AS answer ON answer.place = input.${PLACE_COLUMN}`;
}

/**
 * SQL for each column that is added to a row, by how the row ended: never sent, with a laid answer, answered elsewhere, with
 * a line, or without.
 */
function outputsSql(
  { unanswered }: ResultRequest,
  { names, elsewhere }: PartRows,
): (column: ResultColumn) => string {
  const before = names.includes(ATTEMPTS_COLUMN) ? `input.${ATTEMPTS_COLUMN}` : '0';
  const wasAsked = `CASE WHEN answer.error_code = ${sqlText(SCHEMA_REFUSED)} THEN 0 ELSE 1 END`;
  const whyUnsent = `input.${ERROR_CODE_COLUMN}`;
  const whatIsWrong = names.includes(ERROR_MESSAGE_COLUMN)
    ? `coalesce(input.${ERROR_MESSAGE_COLUMN}, ${unsentMessageSql(whyUnsent)})`
    : unsentMessageSql(whyUnsent);
  const ofElsewhere = (sql: string) => (elsewhere === 0 ? '' : `WHEN input.${IS_ELSEWHERE} THEN ${sql} `);
  const isLaid = names.includes(REUSED_FROM_COLUMN) ? `input.${REUSED_FROM_COLUMN} IS NOT NULL` : undefined;
  const ofLaid = (sql: string) => (isLaid === undefined ? '' : `WHEN ${isLaid} THEN ${sql} `);
  const choose = (ofUnsent: string, ofAnswered: string, ofUnanswered: string) =>
    `CASE WHEN ${whyUnsent} IS NOT NULL THEN ${ofUnsent} ${ofLaid('NULL')}WHEN answer.answer_place IS NOT NULL THEN ${ofAnswered} ${ofElsewhere('NULL')}ELSE ${ofUnanswered} END`;
  return (column) => {
    switch (column.from) {
      case 'answer':
      case 'property':
        return isLaid === undefined
          ? `answer.${column.key}`
          : `CASE WHEN ${isLaid} THEN input.${laidName(column.key)} ELSE answer.${column.key} END`;
      case 'reused_from':
        return isLaid === undefined ? 'CAST(NULL AS VARCHAR)' : `input.${REUSED_FROM_COLUMN}`;
      case 'record_id':
        return `input.${RECORD_ID_COLUMN}`;
      case 'error_code':
        return choose(whyUnsent, 'answer.error_code', sqlText(unanswered.errorCode));
      case 'error_message':
        return choose(whatIsWrong, 'answer.error_message', sqlText(unanswered.errorMessage));
      case 'attempts':
        return `CAST(coalesce(${choose('0', `${before} + ${wasAsked}`, unanswered.sent ? `${before} + 1` : before)}, 0) AS INTEGER)`;
    }
  };
}

function refuseClash(inputs: readonly string[], { all }: ResultColumns): void {
  const taken = new Set(inputs.map((name) => name.toLowerCase()));
  const clash = all.find(({ name }) => taken.has(name.toLowerCase()));
  if (clash === undefined) return;
  throw new InvalidRunInputError(
    `The dataset has a column "${privately(clash.name)}", which Quarry adds to the results. Rename it, or choose another output_column.`,
  );
}

/** A row's place in its part, while it is joined; the dataset may well have a column `place`. */
const PLACE_COLUMN = '__quarry_place';

/** What Prepare and Repack add to the rows. */
const ADDED_COLUMNS = [
  RECORD_ID_COLUMN,
  ERROR_CODE_COLUMN,
  ERROR_MESSAGE_COLUMN,
  ATTEMPTS_COLUMN,
  ANSWERED_BY_COLUMN,
  ANSWERED_BY_ROW_COLUMN,
  REQUEST_HASH_COLUMN,
  REUSED_FROM_COLUMN,
];

function isAdded(name: string): boolean {
  return ADDED_COLUMNS.includes(name) || name.startsWith(LAID_PREFIX);
}

/** How many places of the result have not the record id that the rows have there. */
export async function countMisplaced(
  db: DuckDb,
  { rowsPath, resultPath }: Pick<ResultRequest, 'rowsPath' | 'resultPath'>,
): Promise<number> {
  const column = (await readParquetColumns(db, resultPath)).find(({ name }) => name === 'record_id');
  const id = column === undefined ? 'NULL' : columnText(column);
  const { misplaced } = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS misplaced
    FROM (SELECT ${RECORD_ID_COLUMN} AS id, file_row_number AS place FROM ${readParquetSql(rowsPath)}) AS expected
    FULL JOIN (SELECT ${id} AS id, file_row_number AS place FROM ${readParquetSql(resultPath)}) AS actual USING (place)
    WHERE expected.id IS DISTINCT FROM actual.id`);
  return Number(misplaced);
}
