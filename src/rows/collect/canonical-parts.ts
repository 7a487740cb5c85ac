import type { PreparedPart } from '../../core/plan/part.ts';
import { openDuckDb, sqlText } from '../duckdb/duckdb.ts';
import { readParquetSql } from '../duckdb/parquet.ts';
import { ANSWERED_BY_ROW_COLUMN } from '../prepare/record-sql.ts';

const CANONICAL_PARTS_MEMORY_MB = 256;

/** Ids of the parts that have the records whose answers rows of a part get. */
export async function readCanonicalParts(
  rowsPath: string,
  { parts, scratchDirectory }: { parts: readonly PreparedPart[]; scratchDirectory: string },
): Promise<string[]> {
  await using db = await openDuckDb({ memoryMb: CANONICAL_PARTS_MEMORY_MB, threads: 1, scratchDirectory });
  const starts = parts.map(({ part_id, first_row }) => `(${sqlText(part_id)}, ${first_row})`).join(', ');
  const found =
    await db.rows(`SELECT DISTINCT part.part_id AS part_id FROM ${readParquetSql(rowsPath)} AS input
    ASOF JOIN (VALUES ${starts}) AS part(part_id, first_row) ON input.${ANSWERED_BY_ROW_COLUMN} >= part.first_row
    WHERE input.${ANSWERED_BY_ROW_COLUMN} IS NOT NULL ORDER BY part.part_id`);
  return found.map(({ part_id }) => String(part_id));
}
