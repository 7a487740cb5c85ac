import {
  FINAL_ERROR_NAMES,
  REFUSED_STOP_REASONS,
  RETRYABLE_CODE_PATTERN,
  type RetryPolicy,
  TRUNCATED_STOP_REASONS,
} from '../../core/retry-policy.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, sqlText } from '../duckdb/duckdb.ts';
import { readParquetColumns, readParquetSql } from '../duckdb/parquet.ts';

/** One record that is owed another attempt. */
export interface OwedRecord {
  recordId: string;
  /** How often it has been sent. */
  attempts: number;
}

/** SQL condition over a result's columns: this row is owed another attempt. */
export function owedSql({ maxAttempts, retryTruncated, retryRefused }: RetryPolicy): string {
  const list = (texts: readonly string[]) => texts.map(sqlText).join(', ');
  const reasons = [
    ...(retryTruncated ? TRUNCATED_STOP_REASONS : []),
    ...(retryRefused ? REFUSED_STOP_REASONS : []),
  ];
  const failed = `(regexp_full_match(error_code, ${sqlText(RETRYABLE_CODE_PATTERN)}, 's') AND lower(error_code) NOT IN (${list(FINAL_ERROR_NAMES)}))`;
  const unwanted =
    reasons.length === 0 ? '' : ` OR (error_code IS NULL AND lower(stop_reason) IN (${list(reasons)}))`;
  return `(attempts < ${maxAttempts} AND coalesce(${failed}${unwanted}, false))`;
}

/** How many rows of a result are owed another attempt. */
export async function countOwed(db: DuckDb, resultPath: string, policy: RetryPolicy): Promise<number> {
  const { owed } = await db.row(
    `SELECT CAST(count(*) FILTER (${owedSql(policy)}) AS DOUBLE) AS owed FROM ${readParquetSql(resultPath)}`,
  );
  return Number(owed);
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
    await db.rows(`SELECT ${columnText(column)} AS record_id, attempts FROM ${readParquetSql(resultPath)}
    WHERE ${owedSql(policy)} ORDER BY file_row_number LIMIT ${count} OFFSET ${from}`);
  return rows.map(({ record_id, attempts }) => ({ recordId: String(record_id), attempts: Number(attempts) }));
}
