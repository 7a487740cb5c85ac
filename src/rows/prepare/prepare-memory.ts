import { memoryForColumns } from '../duckdb/wide-rows.ts';

/** How parts are prepared, so that their rows fit into memory. */
export interface PrepareMemory {
  /** What DuckDB may use. */
  memoryMb: number;
  /** Parts that are prepared at once with it. */
  partsAtOnce: number;
  /** Rows that are read at once; all of a part where it is absent. */
  rowsAtOnce?: number;
}

/** What rows of usual sizes need. */
export const PREPARE_MEMORY: PrepareMemory = { memoryMb: 512, partsAtOnce: 2 };

/** What large rows may have; of a Lambda's 3 GB it is a third. */
const LARGE_MEMORY_MB = 1_024;
/** Rows of Parquet that DuckDB reads at once, unless it is asked for fewer. */
const VECTOR_ROWS = 2_048;
/**
 * Bytes of rows that one part may well read at once, of two or of one. A statement has them up to fourteen times in
 * memory, measured: read, rendered, escaped, joined, written.
 */
const MOST_READ_BYTES = { usual: 16_000_000, large: 32_000_000 };

/** What Parquet rows of this many bytes, unpacked, need. */
export function prepareMemoryFor(rowBytes: number): PrepareMemory {
  const readBytes = VECTOR_ROWS * rowBytes;
  if (readBytes <= MOST_READ_BYTES.usual) return PREPARE_MEMORY;
  if (readBytes <= MOST_READ_BYTES.large) return { memoryMb: LARGE_MEMORY_MB, partsAtOnce: 2 };
  const rowsAtOnce = Math.max(1, Math.floor(MOST_READ_BYTES.large / rowBytes));
  return { memoryMb: LARGE_MEMORY_MB, partsAtOnce: 1, rowsAtOnce };
}

/** What text of this many columns needs: where that is more than usual, one part has it. */
export function textMemoryFor(columns: number): PrepareMemory {
  const memoryMb = memoryForColumns(columns, PREPARE_MEMORY.memoryMb);
  return memoryMb === PREPARE_MEMORY.memoryMb ? PREPARE_MEMORY : { memoryMb, partsAtOnce: 1 };
}
