import { mkdir } from 'node:fs/promises';
import { LedgerMismatchError } from '../../core/errors.ts';
import type { FoundOutput } from '../../core/jobs/job-output.ts';
import {
  BAD_REQUEST_CODES,
  owedUnder,
  type RetryPolicy,
  SCHEMA_REFUSAL_PATTERN,
  SCHEMA_REFUSED,
} from '../../core/jobs/retry-policy.ts';
import { addViolations, type FailureCounts, type PropertyViolations } from '../../core/run/ledger.ts';
import { type DuckDb, openDuckDb, sqlText } from '../duckdb/duckdb.ts';
import { disableOptimizersSql } from '../duckdb/duckdb-pool.ts';
import { readParquetColumns, readParquetSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { giveNamesBack } from '../parquet/column-renaming.ts';
import { ANSWERED_BY_COLUMN, isSentSql, RECORD_ID_COLUMN } from '../prepare/record-sql.ts';
import { type ResultLedger, readLedger } from '../results/read-results.ts';
import type { ResultColumns } from '../results/result-columns.ts';
import { countFailures } from './owed-records.ts';
import { hasNumbers, readAnswers } from './read-answers.ts';
import type { CheckedAnswers } from './type-answers.ts';
import {
  countMisplaced,
  IS_ELSEWHERE,
  type PartRows,
  sizeOf,
  type Unanswered,
  writeResult,
} from './write-result.ts';

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
