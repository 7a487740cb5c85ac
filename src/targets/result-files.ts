import { join } from 'node:path';
import type { S3Uri } from '../core/s3-uri.ts';
import type { RunSummary } from '../core/summary.ts';
import type { ResultFile } from '../rows/results/read-results.ts';
import { openSparseParquet } from '../rows/sources/sparse-parquet.ts';
import { requireObject } from '../store/s3-download.ts';
import type { RunFiles } from './run-files.ts';

/** A run's result files for reading: of those in S3, only what is read is fetched. */
export function resultFiles(
  { output_uris }: RunSummary,
  { store, dir }: Pick<RunFiles, 'store' | 'dir'>,
): ResultFile[] {
  return output_uris.map((text) => {
    const uri = text as S3Uri;
    return (
      store.localPath?.(uri) ??
      (async () =>
        openSparseParquet(requireObject(await store.head(uri), uri), {
          store,
          scratchDirectory: join(dir, '.scratch'),
        }))
    );
  });
}
