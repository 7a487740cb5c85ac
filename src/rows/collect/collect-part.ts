import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidRunInputError, LedgerMismatchError } from '../../core/errors.ts';
import type { FoundOutput } from '../../core/jobs/job-output.ts';
import {
  BAD_REQUEST_CODES,
  owedUnder,
  type RetryPolicy,
  SCHEMA_REFUSAL_PATTERN,
  SCHEMA_REFUSED,
} from '../../core/jobs/retry-policy.ts';
import { balancedRanges } from '../../core/plan/packing.ts';
import { addViolations, type FailureCounts, type PropertyViolations } from '../../core/run/ledger.ts';
import { privately } from '../../core/text/private-text.ts';
import { laidName } from '../answers/laid-answers.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, openDuckDb, sqlName, sqlText } from '../duckdb/duckdb.ts';
import { disableOptimizersSql } from '../duckdb/duckdb-pool.ts';
import {
  copyToParquet,
  readParquetColumns,
  readParquetSql,
  readParquetsSql,
  readUnpackedBytes,
} from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { giveNamesBack } from '../parquet/column-renaming.ts';
import {
  ANSWERED_BY_COLUMN,
  ANSWERED_BY_ROW_COLUMN,
  ATTEMPTS_COLUMN,
  ERROR_CODE_COLUMN,
  ERROR_MESSAGE_COLUMN,
  isSentSql,
  LAID_PREFIX,
  RECORD_ID_COLUMN,
  REQUEST_HASH_COLUMN,
  REUSED_FROM_COLUMN,
} from '../prepare/record-sql.ts';
import { type ResultLedger, readLedger } from '../results/read-results.ts';
import type { ResultColumn, ResultColumns } from '../results/result-columns.ts';
import { countFailures } from './owed-records.ts';
import { type Answers, hasNumbers, readAnswers } from './read-answers.ts';
import type { CheckedAnswers } from './type-answers.ts';
import { unsentMessageSql } from './unsent-message.ts';

/** Memory that DuckDB may use for one part. */
export const COLLECT_MEMORY_MB = 1024;
/** To read the numbers of embeddings takes as long as all else; two threads for text only get in each other's way. */
const THREADS = { text: 1, numbers: 2 };
/** Share of the memory that answers may have while they are joined; the join holds them twice. */
const ANSWERS_SHARE = 0.25;
/** Pieces to write a result in whose rows did not come in order at once. */
const SORTED_PIECES = 4;

/** What a part's job left, and where its result goes. */
export interface CollectRequest {
  /** The part's rows, as Prepare left them. */
  rowsPath: string;
  /** The files that the job left; may be none. */
  outputPaths: string[];
  columns: ResultColumns;
  /** Says which records are owed another attempt. */
  retry: RetryPolicy;
  /** True where a field of the records holds answers to the schema, which the model may not take. */
  isHeldToSchema?: boolean;
  /** What to say of a record that has no output line; throws where nothing may be said of the output yet. */
  unanswered: (found: FoundOutput) => Unanswered;
  resultPath: string;
  scratchDirectory: string;
  /** @default COLLECT_MEMORY_MB */
  memoryMb?: number;
}

/** What becomes of a record that has no output line. */
export interface Unanswered {
  errorCode: string;
  errorMessage: string;
  /** True where that was one of its attempts. */
  sent: boolean;
}

/** What became of a part's rows. */
export interface CollectedPart extends ResultLedger {
  stray_lines: number;
  /** Records that have an output line. */
  answered: number;
  /** True where a record without one has used up an attempt. */
  wasTried: boolean;
  /** Answers whose JSON was mended; absent where none was asked for, like the next two. */
  mended?: number;
  /** Answers that were checked against the schema. */
  checked?: number;
  /** Answers in which a property was wrong or missing, the most frequent first. */
  violations?: PropertyViolations[];
  /** Records that are owed another attempt. */
  owed: number;
  failures: FailureCounts[];
  /** Rows that wait for the answer of an identical request; absent where none does. */
  answered_elsewhere?: number;
}

/**
 * Joins what a job left to its part's rows, by record id: one result row for each, in the same order. Throws
 * LedgerMismatchError where the result is not exactly that.
 */
export async function collectPart(request: CollectRequest): Promise<CollectedPart> {
  const { scratchDirectory, memoryMb = COLLECT_MEMORY_MB, rowsPath, resultPath } = request;
  await mkdir(scratchDirectory, { recursive: true });
  const threads = hasNumbers(request.columns) ? THREADS.numbers : THREADS.text;
  await using db = await openDuckDb({ memoryMb, threads, scratchDirectory });
  const input = await readPartRows(db, rowsPath);
  await makeRoomForColumns(db, input.names.length, memoryMb);
  await using read = await readAnswers(db, { ...request, rows: input.rows });
  const answers = request.isHeldToSchema === true ? { ...read, sql: withSchemaRefusals(read.sql) } : read;
  const answered = await matchAnswers(db, { rowsPath, input, answersSql: answers.sql });
  const { lines, unreadable, isCutOff } = answers;
  const unanswered = request.unanswered({ answered, lines, unreadable, isCutOff });
  const size = sizeOf(request, input, answers);
  const pieces = Math.max(1, Math.ceil(size.answerBytes / (ANSWERS_SHARE * memoryMb * 1e6)));
  if (threads > 1) await db.run('SET threads = 1');
  await db.run(disableOptimizersSql(['join_order', 'build_side_probe_side']));
  await writeResult(db, { ...request, unanswered }, { ...size, input, pieces });
  if ((await countMisplaced(db, request)) > 0) {
    await writeResult(
      db,
      { ...request, unanswered },
      { ...size, input, pieces: Math.max(pieces, SORTED_PIECES) },
    );
    const misplaced = await countMisplaced(db, request);
    if (misplaced > 0) {
      throw new LedgerMismatchError(
        `${misplaced} rows of the result ${resultPath} are not those of ${rowsPath}, in their order. Collect the part again.`,
      );
    }
  }
  await giveNamesBack(resultPath, input.names);
  const { elsewhere } = input;
  const failures = await countFailures(db, resultPath, request.retry);
  return {
    ...(await readLedger(db, [resultPath], {
      columns: request.columns,
      ...(elsewhere > 0 ? { isWaiting: IS_ELSEWHERE } : {}),
    })),
    stray_lines: lines - answered,
    ...(request.columns.schema === undefined ? {} : checkedCounts(answers.typed)),
    answered,
    wasTried: unanswered.sent,
    owed: owedUnder({ owed: { records: 0 }, failures }, request.retry),
    failures,
    ...(elsewhere === 0 ? {} : { answered_elsewhere: elsewhere }),
  };
}

function checkedCounts({
  mended,
  checked,
  violations,
}: CheckedAnswers): Pick<CollectedPart, 'mended' | 'checked' | 'violations'> {
  return {
    mended,
    checked,
    violations: addViolations([...violations].map(([property, answers]) => ({ property, answers }))),
  };
}

/** SQL for the same answers, in which a refusal of the field that holds them to a schema has a code of its own. */
function withSchemaRefusals(answersSql: string): string {
  const isRefusal = `lower(error_code) IN (${BAD_REQUEST_CODES.map(sqlText).join(', ')}) AND regexp_matches(error_message, ${sqlText(SCHEMA_REFUSAL_PATTERN)}, 'i')`;
  return `SELECT * REPLACE (CASE WHEN ${isRefusal} THEN ${sqlText(SCHEMA_REFUSED)} ELSE error_code END AS error_code) FROM (${answersSql})`;
}

/** What is to be known of a part's rows. */
interface PartRows {
  names: readonly string[];
  rows: number;
  /** Of their values, unpacked. */
  bytes: number;
  /** Rows that are answered elsewhere; only then the result tells, in a column that Merge takes away, by which record. */
  elsewhere: number;
  /** SQL that is true of the rows that were sent. */
  isSent: string;
}

const IS_ELSEWHERE = `${ANSWERED_BY_COLUMN} IS NOT NULL`;

async function readPartRows(db: DuckDb, rowsPath: string): Promise<PartRows> {
  const names = (await readParquetColumns(db, rowsPath)).map(({ name }) => name);
  const isDeduped = names.includes(ANSWERED_BY_COLUMN);
  const { elsewhere } = await db.row(
    `SELECT CAST(count(*) FILTER (${isDeduped ? IS_ELSEWHERE : 'false'}) AS DOUBLE) AS elsewhere FROM ${readParquetSql(rowsPath)}`,
  );
  return {
    names,
    ...(await readUnpackedBytes(db, rowsPath)),
    elsewhere: Number(elsewhere),
    isSent: isSentSql(names),
  };
}

/**
 * Finds each row's answer by its record id, as the table `matches` of the row's place and the answer's: the first
 * success, or the first line where there is none, or null. Gives the number of rows that have one.
 */
async function matchAnswers(
  db: DuckDb,
  { rowsPath, input, answersSql }: { rowsPath: string; input: PartRows; answersSql: string },
): Promise<number> {
  await db.run(`CREATE TABLE matches AS
    SELECT place, arg_min(answers.line, (answers.error_code IS NOT NULL, answers.line)) AS answer_place
    FROM (SELECT CASE WHEN ${input.isSent} THEN ${RECORD_ID_COLUMN} END AS id, file_row_number AS place FROM ${readParquetSql(rowsPath)}) AS input
    LEFT JOIN (${answersSql}) AS answers ON answers.record_id = input.id GROUP BY place`);
  const { answered } = await db.row('SELECT CAST(count(answer_place) AS DOUBLE) AS answered FROM matches');
  return Number(answered);
}

/** A request once it is known what becomes of the records without an output line. */
type DecidedRequest = Omit<CollectRequest, 'unanswered'> & { unanswered: Unanswered };

interface ResultSize {
  answersSql: string;
  rows: number;
  answerBytes: number;
  bytesPerRow: number;
}

const BYTES_PER_FLOAT = 4;
/** Bytes that a Parquet writer holds for each number of a list: it keeps track of where lists begin. */
const BYTES_PER_LISTED_NUMBER = 16;

function sizeOf({ columns }: CollectRequest, input: PartRows, answers: Answers): ResultSize {
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
async function writeResult(
  db: DuckDb,
  request: DecidedRequest,
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
  request: DecidedRequest,
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
  { unanswered }: DecidedRequest,
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
async function countMisplaced(db: DuckDb, { rowsPath, resultPath }: CollectRequest): Promise<number> {
  const column = (await readParquetColumns(db, resultPath)).find(({ name }) => name === 'record_id');
  const id = column === undefined ? 'NULL' : columnText(column);
  const { misplaced } = await db.row(`SELECT CAST(count(*) AS DOUBLE) AS misplaced
    FROM (SELECT ${RECORD_ID_COLUMN} AS id, file_row_number AS place FROM ${readParquetSql(rowsPath)}) AS expected
    FULL JOIN (SELECT ${id} AS id, file_row_number AS place FROM ${readParquetSql(resultPath)}) AS actual USING (place)
    WHERE expected.id IS DISTINCT FROM actual.id`);
  return Number(misplaced);
}
