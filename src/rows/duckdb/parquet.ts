import type { Column, DriftedColumn } from '../../core/plan/part.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { type DuckDb, guardedSql, sqlName, sqlPath, sqlText, unguarded } from './duckdb.ts';

/** The most that a row group may have; it ends only where a vector of the query does. A writer holds several whole. */
interface RowGroupSize {
  rows: number;
  bytes: number;
}

/** What a reader of a few rows has to unpack. */
const RESULT_ROW_GROUPS: RowGroupSize = { rows: 10_240, bytes: 40_000_000 };
/** For files that only we read: what DuckDB handles at once. */
export const WORKING_ROW_GROUPS: RowGroupSize = { rows: 2_048, bytes: 8_000_000 };

/** Consecutive rows of a Parquet file. */
export interface ParquetRange extends RowWindow {
  path: string;
  /** Columns that are read in another type than the file's, or as nulls. */
  drift?: readonly DriftedColumn[] | undefined;
  /** The columns that are read, where they are wanted under other names than DuckDB has for them; `drift` has the wanted ones. */
  names?: readonly ReadName[] | undefined;
}

/** What DuckDB calls a column of a file, and under what name it is wanted. */
export interface ReadName {
  read: string;
  name: string;
}

/** SQL for a whole Parquet file. */
export function readParquetSql(path: string): string {
  return readParquetsSql([path]);
}

/** SQL for Parquet files, one after the other. With Hive partitioning, a folder named `year=2024` would be a column. */
export function readParquetsSql(paths: readonly string[]): string {
  return `read_parquet([${paths.map(sqlPath).join(', ')}], hive_partitioning = false)`;
}

/** SQL that follows FROM, for rows of a Parquet file, in order; only their row groups are read. */
export function parquetRangeSql({ path, firstRow, rows, drift = [], names: renamed }: ParquetRange): string {
  const range = `${renamed === undefined ? readParquetSql(path) : renamedSql(path, renamed)} WHERE file_row_number >= ${firstRow} AND file_row_number < ${firstRow + rows}`;
  if (drift.length === 0) return range;
  const names = drift.map(({ name }) => sqlName(name));
  // Those that the file lacks cannot be left out by name.
  const besides = [...drift.map(({ name }) => name), ...(renamed === undefined ? [] : ['file_row_number'])];
  const others = `COLUMNS(name -> name NOT IN (${besides.map(sqlText).join(', ')}))`;
  const read = drift.map(
    ({ type, nulls }, index) => `CAST(${nulls ? 'NULL' : names[index]} AS ${type}) AS ${names[index]}`,
  );
  return `(SELECT ${[others, ...read, 'file_row_number'].join(', ')} FROM ${range})`;
}

function renamedSql(path: string, names: readonly ReadName[]): string {
  const columns = names.map(({ read, name }) => `${sqlName(read)} AS ${sqlName(name)}`);
  return `(SELECT ${[...columns, 'file_row_number'].join(', ')} FROM ${readParquetSql(path)})`;
}

/** What COPY is to write, and where. */
export interface ParquetCopy {
  sql: string;
  path: string;
  compression: 'snappy' | 'uncompressed';
  /** Estimated; large rows make smaller row groups. */
  bytesPerRow: number;
  /** @default RESULT_ROW_GROUPS */
  rowGroups?: RowGroupSize;
}

/** Writes a query's rows as Parquet; their number. */
export function copyToParquet(
  db: DuckDb,
  { sql, path, compression, bytesPerRow, rowGroups = RESULT_ROW_GROUPS }: ParquetCopy,
): Promise<number> {
  const fitting = Math.floor(rowGroups.bytes / Math.max(1, bytesPerRow));
  const rows = Math.max(1, Math.min(rowGroups.rows, fitting));
  return db.copy(
    `COPY (${sql}) TO ${sqlText(path)} (FORMAT PARQUET, COMPRESSION ${compression}, ROW_GROUP_SIZE ${rows})`,
  );
}

/** A Parquet file's columns, with the types DuckDB gives them. */
export async function readParquetColumns(db: DuckDb, path: string): Promise<Column[]> {
  const described = await db.rows(
    `SELECT ${guardedSql('column_name')} AS name, ${guardedSql('column_type')} AS type FROM (DESCRIBE SELECT * FROM ${readParquetSql(path)})`,
  );
  return described.map(({ name, type }) => ({ name: unguarded(name), type: unguarded(type) }));
}

/** Bytes of a Parquet file's values, unpacked. */
export async function readUnpackedBytes(db: DuckDb, path: string): Promise<{ rows: number; bytes: number }> {
  const { rows, bytes } = await db.row(`SELECT
      CAST((SELECT sum(num_rows) FROM parquet_file_metadata(${sqlPath(path)})) AS DOUBLE) AS "rows",
      CAST((SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(${sqlPath(path)})) AS DOUBLE) AS bytes`);
  return { rows: Number(rows), bytes: Number(bytes) };
}
