import type { PreparedPart } from '../../core/plan/part.ts';
import type { RowWindow } from '../bytes/source-bytes.ts';
import { openDuckDb, sqlText } from '../duckdb/duckdb.ts';
import { readParquetSql } from '../duckdb/parquet.ts';
import { ANSWERED_BY_ROW_COLUMN } from '../prepare/record-sql.ts';
import { fetchColumns, openResult, type ResultFile } from '../results/read-results.ts';

const CANONICAL_PARTS_MEMORY_MB = 256;
/** Rows that are read together, as a reader of Parquet takes no fewer. */
const BLOCK_ROWS = 2_048;

/** A part that has records whose answers rows of another part get, and where in it these are. */
export interface CanonicalPart {
  partId: string;
  windows: RowWindow[];
}

/** The parts that have the records whose answers rows of a part get. */
export async function readCanonicalParts(
  rows: ResultFile,
  { parts, scratchDirectory }: { parts: readonly PreparedPart[]; scratchDirectory: string },
): Promise<CanonicalPart[]> {
  await using db = await openDuckDb({ memoryMb: CANONICAL_PARTS_MEMORY_MB, threads: 1, scratchDirectory });
  await using input = await openResult(rows);
  await fetchColumns(db, input, [ANSWERED_BY_ROW_COLUMN]);
  const starts = parts.map(({ part_id, first_row }) => `(${sqlText(part_id)}, ${first_row})`).join(', ');
  const blocks =
    await db.rows(`SELECT DISTINCT part.part_id AS part_id, CAST((input.${ANSWERED_BY_ROW_COLUMN} - part.first_row) // ${BLOCK_ROWS} AS DOUBLE) AS block
    FROM ${readParquetSql(input.path)} AS input
    ASOF JOIN (VALUES ${starts}) AS part(part_id, first_row) ON input.${ANSWERED_BY_ROW_COLUMN} >= part.first_row
    WHERE input.${ANSWERED_BY_ROW_COLUMN} IS NOT NULL ORDER BY part.part_id, block`);
  const found = new Map<string, RowWindow[]>();
  for (const { part_id, block } of blocks) {
    const windows = found.get(String(part_id)) ?? [];
    found.set(String(part_id), windows);
    const firstRow = Number(block) * BLOCK_ROWS;
    const last = windows.at(-1);
    if (last !== undefined && last.firstRow + last.rows === firstRow) last.rows += BLOCK_ROWS;
    else windows.push({ firstRow, rows: BLOCK_ROWS });
  }
  return [...found].map(([partId, windows]) => ({ partId, windows }));
}
