import type { Column } from '../core/part.ts';
import { type DuckDb, sqlText } from './duckdb.ts';

/** Rows of a row group in the Parquet files that we write: what a reader of a few rows has to unpack. */
const ROW_GROUP_ROWS = 10_240;
/** Fewest rows of one: what DuckDB handles at once. Enough for files that only we read: a writer holds several row groups. */
export const MIN_ROW_GROUP_ROWS = 2_048;
/** Bytes that a row group may well have: a writer holds several whole. */
const ROW_GROUP_BYTES = 40_000_000;

/** Consecutive rows of a Parquet file. */
export interface ParquetRange {
  path: string;
  firstRow: number;
  rows: number;
}

/** SQL for a whole Parquet file. */
export function readParquetSql(path: string): string {
  return readParquetsSql([path]);
}

/** SQL for Parquet files, one after the other. With Hive partitioning, a folder named `year=2024` would be a column. */
export function readParquetsSql(paths: readonly string[]): string {
  return `read_parquet([${paths.map(sqlText).join(', ')}], hive_partitioning = false)`;
}

/** SQL for rows of a Parquet file, in order; only their row groups are read. `columns` is SQL. */
export function parquetRangeSql(columns: string, { path, firstRow, rows }: ParquetRange): string {
  return `SELECT ${columns} FROM ${readParquetSql(path)} WHERE file_row_number >= ${firstRow} AND file_row_number < ${firstRow + rows}`;
}

/** What COPY is to write, and where. */
export interface ParquetCopy {
  sql: string;
  path: string;
  compression: 'snappy' | 'uncompressed';
  /** Estimated; large rows make smaller row groups. */
  bytesPerRow: number;
  /**
   * Most rows of a row group.
   * @default ROW_GROUP_ROWS
   */
  rowGroupRows?: number;
}

/** Writes a query's rows as Parquet; their number. */
export function copyToParquet(
  db: DuckDb,
  { sql, path, compression, bytesPerRow, rowGroupRows = ROW_GROUP_ROWS }: ParquetCopy,
): Promise<number> {
  const fitting = Math.floor(ROW_GROUP_BYTES / Math.max(1, bytesPerRow));
  const rows = Math.min(rowGroupRows, Math.max(MIN_ROW_GROUP_ROWS, fitting));
  return db.copy(
    `COPY (${sql}) TO ${sqlText(path)} (FORMAT PARQUET, COMPRESSION ${compression}, ROW_GROUP_SIZE ${rows})`,
  );
}

/** A Parquet file's columns, with the types DuckDB gives them. */
export async function readParquetColumns(db: DuckDb, path: string): Promise<Column[]> {
  const described = await db.rows(`DESCRIBE SELECT * FROM ${readParquetSql(path)}`);
  return described.map(({ column_name, column_type }) => ({
    name: String(column_name),
    type: String(column_type),
  }));
}

/** Bytes of a Parquet file's values, unpacked. */
export async function readUnpackedBytes(db: DuckDb, path: string): Promise<{ rows: number; bytes: number }> {
  const { rows, bytes } = await db.row(`SELECT
      CAST((SELECT sum(num_rows) FROM parquet_file_metadata(${sqlText(path)})) AS DOUBLE) AS "rows",
      CAST((SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(${sqlText(path)})) AS DOUBLE) AS bytes`);
  return { rows: Number(rows), bytes: Number(bytes) };
}

/** What a reader of a Parquet file has to hold. */
export interface ParquetLayout {
  /** Unpacked bytes of all row groups, and of the largest. */
  bytes: number;
  largestRowGroupBytes: number;
  /** True where a row group is likely one page per column, which is unpacked whole for any row of it. */
  hasLargePages: boolean;
}

/** Bytes of a row group that a reader may well hold twice. */
export const LARGE_ROW_GROUP_BYTES = 100_000_000;

/** How a Parquet file is laid out, by its footer. DuckDB makes pages of up to 100 MB, other writers of 1 MB. */
export async function readParquetLayout(db: DuckDb, path: string): Promise<ParquetLayout> {
  const { bytes, largest, writer } = await db.row(`SELECT CAST(coalesce(sum(bytes), 0) AS DOUBLE) AS bytes,
      CAST(coalesce(max(bytes), 0) AS DOUBLE) AS largest, (SELECT created_by FROM parquet_file_metadata(${sqlText(path)})) AS writer
    FROM (SELECT sum(total_uncompressed_size) AS bytes FROM parquet_metadata(${sqlText(path)}) GROUP BY row_group_id)`);
  const largestRowGroupBytes = Number(largest);
  return {
    bytes: Number(bytes),
    largestRowGroupBytes,
    hasLargePages: /^duckdb/i.test(String(writer)) && largestRowGroupBytes > LARGE_ROW_GROUP_BYTES,
  };
}
