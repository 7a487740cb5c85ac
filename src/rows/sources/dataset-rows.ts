import type { Dataset } from '../../core/plan/part.ts';
import type { RowWindow, SourceFile } from '../bytes/source-bytes.ts';
import { type DuckDb, openDuckDb } from '../duckdb/duckdb.ts';
import { createScratch } from '../duckdb/scratch.ts';
import type { LocalDatasetFile } from './describe-dataset.ts';

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

/** Rows of one dataset file. */
export type SourceRange = SourceFile & RowWindow & { isPlain: boolean };

/** Every row of every file that has some, in order. */
export function wholeFiles(files: readonly LocalDatasetFile[], dataset: Dataset): SourceRange[] {
  const found = new Map(files.map((file) => [file.uri, file]));
  return dataset.files.flatMap(({ uri, rows, plain, layout, drift }) => {
    const file = found.get(uri);
    if (file === undefined || rows === 0) return [];
    return [
      {
        ...file,
        ...(layout === undefined ? {} : { layout }),
        ...(drift === undefined ? {} : { drift }),
        // Only Prepare reads JSONL again that DuckDB refuses.
        isPlain: plain === true && dataset.format === 'csv',
        firstRow: 0,
        rows,
      },
    ];
  });
}
