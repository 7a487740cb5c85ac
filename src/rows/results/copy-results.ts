import { copyToParquet, readParquetsSql, readUnpackedBytes } from '../duckdb/parquet.ts';
import { makeRoomForColumns } from '../duckdb/wide-rows.ts';
import { readGivenColumns, renameColumns } from '../parquet/column-renaming.ts';
import { isFailedSql, READ_MEMORY_MB, type ReadRequest, withResults } from './read-results.ts';

/** Copies the rows of result files, in order, into one Parquet file; their number. */
export async function copyResults(
  paths: readonly string[],
  path: string,
  { head, failedOnly = false, errorColumns }: ReadRequest,
): Promise<number> {
  return withResults(async (db) => {
    let [rows, bytes] = [0, 0];
    for (const part of paths) {
      const unpacked = await readUnpackedBytes(db, part);
      rows += unpacked.rows;
      bytes += unpacked.bytes;
    }
    const [first] = paths;
    const columns = first === undefined ? [] : await readGivenColumns(db, first);
    await makeRoomForColumns(db, columns.length, READ_MEMORY_MB);
    const sql = [
      `SELECT * FROM ${readParquetsSql(paths)}`,
      ...(failedOnly ? [`WHERE ${isFailedSql(errorColumns)}`] : []),
      ...(head === undefined ? [] : [`LIMIT ${head}`]),
    ].join(' ');
    const bytesPerRow = bytes / Math.max(1, rows);
    const copied = await copyToParquet(db, { sql, path, compression: 'snappy', bytesPerRow });
    if (columns.some(({ name, given }) => name !== given)) {
      await renameColumns(
        path,
        columns.map(({ given }) => given),
      );
    }
    return copied;
  });
}
