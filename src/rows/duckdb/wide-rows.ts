import type { DuckDb } from './duckdb.ts';

/** Columns whose rows need more memory than others: a reader and a writer have some 300 kB of each, measured. */
const MANY_COLUMNS = 800;
const VERY_MANY_COLUMNS = 2_500;
/** What they may have; of a Lambda's 3 GB it is a third, and two thirds. */
const MANY_MEMORY_MB = 1_024;
const VERY_MANY_MEMORY_MB = 2_048;

/** Most columns of a text file: with them, every step was measured to keep within the memory that is given here. */
export const MOST_TEXT_COLUMNS = 5_000;

/** Memory for statements over rows of this many columns, at least `memoryMb`. */
export function memoryForColumns(columns: number, memoryMb: number): number {
  if (columns <= MANY_COLUMNS) return memoryMb;
  return Math.max(memoryMb, columns <= VERY_MANY_COLUMNS ? MANY_MEMORY_MB : VERY_MANY_MEMORY_MB);
}

/** Gives a database that was opened with `memoryMb` as much as rows of this many columns need, until it is disposed of. */
export async function makeRoomForColumns(db: DuckDb, columns: number, memoryMb: number): Promise<void> {
  const needed = memoryForColumns(columns, memoryMb);
  if (needed > memoryMb) await db.run(`SET GLOBAL memory_limit = '${needed}MB'`);
}
