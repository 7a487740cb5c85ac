import { LedgerMismatchError } from '../../core/errors.ts';
import type { AttemptCounts, RowCounts } from '../../core/run/ledger.ts';
import { type DuckDb, sqlName, sqlPath, sqlText } from '../duckdb/duckdb.ts';
import { readParquetsSql } from '../duckdb/parquet.ts';
import { hereAlready, type ResultFile, readCountSql, withResults } from './read-results.ts';

/** What result files themselves say: where every row ended, and how many attempts that took. */
export interface RecountedResults {
  /** Rows with an answer, and of the others those never sent. */
  rows: RowCounts;
  /** The fewest first. */
  attempts: AttemptCounts[];
}

/**
 * Counts the rows of result files anew, by their answers and attempts alone, one file after the other. Of a file that is not
 * here the answers themselves stay where they are: that a row has none is told by its error, and the footer's count of
 * nulls, which we wrote, must agree.
 */
export async function recountResults(
  files: readonly ResultFile[],
  outputColumn: string,
  { isTyped = false, isReusing = false, suffix = '' }: Partial<Omit<AnswersToCount, 'outputColumn'>> = {},
): Promise<RecountedResults> {
  const byAttempts = new Map<number, AttemptCounts>();
  let reused = 0;
  await withResults(async (db) => {
    for (const source of files) {
      const recounted = await recountFile(db, source, { outputColumn, isTyped, isReusing, suffix });
      reused += recounted.reused;
      for (const counts of recounted.attempts) {
        const { rows = 0, succeeded = 0 } = byAttempts.get(counts.attempts) ?? {};
        byAttempts.set(counts.attempts, {
          attempts: counts.attempts,
          rows: rows + counts.rows,
          succeeded: succeeded + counts.succeeded,
        });
      }
    }
  });
  const attempts = [...byAttempts.values()].toSorted((a, b) => a.attempts - b.attempts);
  const unanswered = (counts: readonly AttemptCounts[]) =>
    counts.reduce((sum, { rows, succeeded }) => sum + rows - succeeded, 0);
  const total = attempts.reduce((sum, { rows }) => sum + rows, 0);
  const not_sent = unanswered(attempts.filter((counts) => counts.attempts === 0));
  const failed = unanswered(attempts) - not_sent;
  const rows = { total, succeeded: total - failed - not_sent, failed, not_sent };
  return { rows: isReusing ? { ...rows, reused } : rows, attempts };
}

/** Where answers are, and which of them are none. */
interface AnswersToCount {
  outputColumn: string;
  /** True where an answer that is not of the schema stands beside its error. */
  isTyped: boolean;
  /** True where rows may have answers of former runs. */
  isReusing: boolean;
  /** Ends the names of the columns that are counted, the answers' too. @default none */
  suffix: string;
}

async function recountFile(
  db: DuckDb,
  source: ResultFile,
  { outputColumn: ownColumn, isTyped, isReusing, suffix }: AnswersToCount,
): Promise<{ attempts: AttemptCounts[]; reused: number }> {
  const isHere = typeof source === 'string';
  await using file = isHere ? hereAlready(source) : await source();
  const { path, fetchRows } = file;
  const { rows: total } = await db.row(readCountSql([path]));
  const outputColumn = `${ownColumn}${suffix}`;
  const [attempts, errorCode, reusedFrom] = ['attempts', 'error_code', 'reused_from'].map(
    (name) => `${name}${suffix}`,
  ) as [string, string, string];
  await fetchRows([attempts, errorCode, ...(isReusing ? [reusedFrom] : [])], {
    firstRow: 0,
    rows: Number(total),
  });
  const isThere = `${sqlName(outputColumn)} IS NOT NULL`;
  const isGood = isTyped ? `${isThere} AND ${sqlName(errorCode)} IS NULL` : isThere;
  const hasAnswer = isHere ? isGood : `${sqlName(errorCode)} IS NULL`;
  const counted = await db.rows(`SELECT ${sqlName(attempts)} AS attempts, CAST(count(*) AS DOUBLE) AS "rows",
      CAST(count(*) FILTER (${hasAnswer}) AS DOUBLE) AS succeeded
    FROM ${readParquetsSql([path])} GROUP BY ALL ORDER BY 1`);
  const counts = counted.map((count) => ({
    attempts: Number(count.attempts),
    rows: Number(count.rows),
    succeeded: Number(count.succeeded),
  }));
  if (!isHere) await expectAnswers(db, { path, outputColumn, isTyped, counts });
  return { attempts: counts, reused: isReusing ? await countReused(db, { path, reusedFrom }) : 0 };
}

async function countReused(
  db: DuckDb,
  { path, reusedFrom }: { path: string; reusedFrom: string },
): Promise<number> {
  const { reused } = await db.row(
    `SELECT CAST(count(${sqlName(reusedFrom)}) AS DOUBLE) AS reused FROM ${readParquetsSql([path])}`,
  );
  return Number(reused);
}

/**
 * Throws LedgerMismatchError where the footer has another number of answers, or fewer than the good ones where others stand
 * beside their errors; of lists it has none.
 */
async function expectAnswers(
  db: DuckDb,
  {
    path,
    outputColumn,
    isTyped,
    counts,
  }: Pick<AnswersToCount, 'outputColumn' | 'isTyped'> & { path: string; counts: readonly AttemptCounts[] },
): Promise<void> {
  const { nulls, known } = await db.row(`SELECT CAST(sum(stats_null_count) AS DOUBLE) AS nulls,
      count(*) > 0 AND bool_and(stats_null_count IS NOT NULL) AS known
    FROM parquet_metadata(${sqlPath(path)}) WHERE path_in_schema = ${sqlText(outputColumn)}`);
  const unanswered = counts.reduce((sum, { rows, succeeded }) => sum + rows - succeeded, 0);
  if (!known || Number(nulls) === unanswered || (isTyped && Number(nulls) < unanswered)) return;
  throw new LedgerMismatchError(
    `A result file has ${unanswered} rows that say why they have no answer, and ${Number(nulls)} without one. Nothing was deleted; please report this.`,
  );
}
