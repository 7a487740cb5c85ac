import type { Column } from '../core/part.ts';
import { type DuckDb, sqlText } from './duckdb.ts';

/** Rows of a row group in the Parquet files that we write: what a reader of a few rows has to unpack. */
export const ROW_GROUP_ROWS = 10_240;

/** Consecutive rows of a Parquet file. */
export interface ParquetRange {
  path: string;
  firstRow: number;
  rows: number;
}

/** SQL for a whole Parquet file. Without `hive_partitioning = false`, a folder named `year=2024` would be a column. */
export function readParquetSql(path: string): string {
  return `read_parquet(${sqlText(path)}, hive_partitioning = false)`;
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
}

/** Writes a query's rows as Parquet; their number. */
export function copyToParquet(db: DuckDb, { sql, path, compression }: ParquetCopy): Promise<number> {
  return db.copy(
    `COPY (${sql}) TO ${sqlText(path)} (FORMAT PARQUET, COMPRESSION ${compression}, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`,
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
