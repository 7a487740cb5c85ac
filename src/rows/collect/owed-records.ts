import {
  ACCOUNT_ERROR_CODES,
  ACCOUNT_FAULT_PATTERN,
  CLIENT_ERROR_NAMES,
  FINAL_ERROR_NAMES,
  REFUSED_STOP_REASONS,
  RETRYABLE_CODE_PATTERN,
  type RetryPolicy,
  TRUNCATED_ANSWER,
  TRUNCATED_STOP_REASONS,
} from '../../core/jobs/retry-policy.ts';
import type { FailureCounts } from '../../core/run/ledger.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, guardedSql, sqlText, unguarded } from '../duckdb/duckdb.ts';
import { readParquetColumns, readParquetSql } from '../duckdb/parquet.ts';
import {
  ANSWERED_BY_COLUMN,
  ERROR_CODE_COLUMN,
  isSentSql,
  REUSED_FROM_COLUMN,
} from '../prepare/record-sql.ts';
import { fetchColumns, openResult, type ResultFile } from '../results/read-results.ts';

/** One record that is owed another attempt. */
export interface OwedRecord {
  recordId: string;
  /** How often it has been sent. */
  attempts: number;
  /** Its number in the part's input file, from 0. */
  record: number;
}

const sqlList = (texts: readonly string[]) => texts.map(sqlText).join(', ');

/** SQL condition over a result's columns: another attempt may end otherwise. */
function retryableSql({ retryTruncated, retryRefused }: RetryPolicy): string {
  const reasons = [
    ...(retryTruncated ? TRUNCATED_STOP_REASONS : []),
    ...(retryRefused ? REFUSED_STOP_REASONS : []),
  ];
  const failed = `(regexp_full_match(error_code, ${sqlText(RETRYABLE_CODE_PATTERN)}, 's') AND lower(error_code) NOT IN (${sqlList(FINAL_ERROR_NAMES)}))`;
  const unwanted =
    reasons.length === 0
      ? ''
      : ` OR ((error_code IS NULL OR error_code = ${sqlText(TRUNCATED_ANSWER)}) AND lower(stop_reason) IN (${sqlList(reasons)}))`;
  return `coalesce(${failed}${unwanted}, false)`;
}

/** SQL condition: the model said that the record is wrong, or refused it for what the account lacks. */
function clientErrorSql(policy: RetryPolicy): string {
  return `coalesce((regexp_full_match(error_code, '4[0-9][0-9]') OR lower(error_code) IN (${sqlList(CLIENT_ERROR_NAMES)})) AND NOT ${retryableSql(policy)}, false)`;
}

/** SQL condition: the account was at fault, as `isAccountFault` has it. */
function accountFaultSql(policy: RetryPolicy): string {
  return `(${clientErrorSql(policy)} AND (lower(error_code) IN (${sqlList(ACCOUNT_ERROR_CODES)}) OR coalesce(regexp_matches(error_message, ${sqlText(ACCOUNT_FAULT_PATTERN)}, 'i'), false)))`;
}

/** SQL condition over a result's columns: this row is owed another attempt. */
export function owedSql(policy: RetryPolicy): string {
  const { maxAttempts, forgiven = 'nothing' } = policy;
  const conditions = {
    nothing: retryableSql(policy),
    account: `${retryableSql(policy)} OR ${accountFaultSql(policy)}`,
    client: `${retryableSql(policy)} OR ${clientErrorSql(policy)}`,
  };
  return `(attempts < ${maxAttempts} AND (${conditions[forgiven]}))`;
}

/** What of a result could be sent again, under whatever limit; the fewest attempts first. */
export async function countFailures(
  db: DuckDb,
  resultPath: string,
  policy: RetryPolicy,
): Promise<FailureCounts[]> {
  const count = (condition: string) => `CAST(count(*) FILTER (${condition}) AS DOUBLE)`;
  const counted = await db.rows(`SELECT * FROM (
      SELECT attempts, ${count(retryableSql(policy))} AS retryable, ${count(accountFaultSql(policy))} AS account,
        ${count(clientErrorSql(policy))} - ${count(accountFaultSql(policy))} AS client
      FROM ${readParquetSql(resultPath)} GROUP BY attempts
    ) WHERE retryable + account + client > 0 ORDER BY attempts`);
  return counted.map(({ attempts, retryable, account, client }) => ({
    attempts: Number(attempts),
    retryable: Number(retryable),
    account: Number(account),
    client: Number(client),
  }));
}

/** What of a part's files its owed records are found in. */
export interface OwedFiles {
  /** What became of its rows. */
  result: ResultFile;
  /** Its rows as they were prepared, in the same order. */
  rows: ResultFile;
}

/** Which owed records: `owedCount` of them from the `owedFrom`th on. */
export interface OwedStretch {
  retry: RetryPolicy;
  owedFrom: number;
  owedCount: number;
}

/** The owed records of a part, in the order of its rows. Of files that are not here, only the columns it takes are fetched. */
export async function readOwed(
  db: DuckDb,
  files: OwedFiles,
  { retry, owedFrom, owedCount }: OwedStretch,
): Promise<OwedRecord[]> {
  await using result = await openResult(files.result);
  await using rows = await openResult(files.rows);
  const column = (await readParquetColumns(db, result.path)).find(({ name }) => name === 'record_id');
  if (column === undefined) throw new Error(`The result ${result.path} has no column record_id.`);
  const names = (await readParquetColumns(db, rows.path)).map(({ name }) => name);
  await fetchColumns(db, result, ['record_id', 'attempts', 'error_code', 'error_message', 'stop_reason']);
  await fetchColumns(db, rows, [ERROR_CODE_COLUMN, ANSWERED_BY_COLUMN, REUSED_FROM_COLUMN]);
  const found =
    await db.rows(`SELECT ${guardedSql('owed.id')} AS guarded_id, owed.attempts AS attempts, CAST(sent.record AS DOUBLE) AS record
    FROM (
      SELECT ${columnText(column)} AS id, attempts, file_row_number AS place FROM ${readParquetSql(result.path)}
      WHERE ${owedSql(retry)} ORDER BY file_row_number LIMIT ${owedCount} OFFSET ${owedFrom}
    ) AS owed
    JOIN (
      SELECT file_row_number AS place, row_number() OVER (ORDER BY file_row_number) - 1 AS record
      FROM ${readParquetSql(rows.path)} WHERE ${isSentSql(names)}
    ) AS sent USING (place) ORDER BY place`);
  return found.map(({ guarded_id, attempts, record }) => ({
    recordId: unguarded(guarded_id),
    attempts: Number(attempts),
    record: Number(record),
  }));
}
