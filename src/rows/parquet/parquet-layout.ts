import { readParquetFooter } from './parquet-footer.ts';

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
export async function readParquetLayout(path: string): Promise<ParquetLayout> {
  const { rowGroups, createdBy } = await readParquetFooter(path);
  const sizes = rowGroups.map(({ chunks }) => chunks.reduce((sum, chunk) => sum + chunk.unpackedBytes, 0));
  const largestRowGroupBytes = sizes.reduce((most, size) => Math.max(most, size), 0);
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    largestRowGroupBytes,
    hasLargePages: /^duckdb/i.test(createdBy) && largestRowGroupBytes > LARGE_ROW_GROUP_BYTES,
  };
}
