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

/** One record that is owed another attempt. */
export interface OwedRecord {
  recordId: string;
  /** How often it has been sent. */
  attempts: number;
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

/** The owed records of a result in the order of its rows: `count` of them from the `from`th on. */
export async function readOwed(
  db: DuckDb,
  resultPath: string,
  { policy, from, count }: { policy: RetryPolicy; from: number; count: number },
): Promise<OwedRecord[]> {
  const column = (await readParquetColumns(db, resultPath)).find(({ name }) => name === 'record_id');
  if (column === undefined) throw new Error(`The result ${resultPath} has no column record_id.`);
  const rows =
    await db.rows(`SELECT ${guardedSql(columnText(column))} AS guarded_id, attempts FROM ${readParquetSql(resultPath)}
    WHERE ${owedSql(policy)} ORDER BY file_row_number LIMIT ${count} OFFSET ${from}`);
  return rows.map(({ guarded_id, attempts }) => ({
    recordId: unguarded(guarded_id),
    attempts: Number(attempts),
  }));
}
