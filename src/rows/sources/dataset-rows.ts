import type { Dataset } from '../../core/plan/part.ts';
import { type DuckDb, openDuckDb } from '../duckdb/duckdb.ts';
import { createScratch } from '../duckdb/scratch.ts';
import type { LocalDatasetFile } from './describe-dataset.ts';
import type { FileRead } from './source-relation.ts';

const SCRATCH_MEMORY_MB = 512;

/** Calls `use` with a database and a directory of its own. */
export async function inScratch<T>(use: (db: DuckDb, scratchDirectory: string) => Promise<T>): Promise<T> {
  await using scratch = await createScratch();
  await using db = await openDuckDb({
    memoryMb: SCRATCH_MEMORY_MB,
    threads: 2,
    scratchDirectory: scratch.path,
  });
  return await use(db, scratch.path);
}

/** The first rows of a dataset, file by file, in order. */
export function firstRows(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  wanted = dataset.rows,
): FileRead[] {
  const found = new Map(files.map((file) => [file.uri, file]));
  const reads: FileRead[] = [];
  let firstRow = 0;
  for (const { uri, rows, bytes, plain, layout, drift } of dataset.files) {
    const file = found.get(uri);
    const taken = Math.min(rows, wanted - firstRow);
    if (taken <= 0 || file === undefined) continue;
    reads.push({
      file: {
        ...file,
        ...(layout === undefined ? {} : { layout }),
        ...(drift === undefined ? {} : { drift }),
      },
      windows: [{ firstRow: 0, rows: taken }],
      // Only Prepare reads JSONL again that DuckDB refuses.
      isPlain: plain === true && dataset.format === 'csv',
      firstRow,
      wholeBytes: taken === rows ? bytes : undefined,
    });
    firstRow += taken;
  }
  return reads;
}
