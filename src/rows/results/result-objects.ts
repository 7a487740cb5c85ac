import type { S3Uri } from '../../core/s3-uri.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { requireObject } from '../../store/s3-download.ts';
import { openSparseParquet } from '../parquet/sparse-parquet.ts';
import type { ResultFile } from './read-results.ts';

/** Result objects for reading, one when the other is done: of those that are no files of this machine, only what is read is fetched. */
export function resultObjects(
  uris: readonly S3Uri[],
  { store, scratchDirectory }: { store: ObjectStore; scratchDirectory: string },
): ResultFile[] {
  return uris.map(
    (uri) =>
      store.localPath?.(uri) ??
      (async () => openSparseParquet(requireObject(await store.head(uri), uri), { store, scratchDirectory })),
  );
}
