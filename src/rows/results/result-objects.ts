import type { S3Uri } from '../../core/s3-uri.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { requireObject } from '../../store/s3-download.ts';
import { openSparseParquet } from '../parquet/sparse-parquet.ts';
import type { ResultFile } from './read-results.ts';

/** Where objects are, and where what is fetched of them goes. */
interface ObjectsPlace {
  store: ObjectStore;
  scratchDirectory: string;
}

/** A result object for reading, once it is opened: of one that is no file of this machine, only what is read is fetched. */
export function resultObject(uri: S3Uri, { store, scratchDirectory }: ObjectsPlace): ResultFile {
  return (
    store.localPath?.(uri) ??
    (async () => openSparseParquet(requireObject(await store.head(uri), uri), { store, scratchDirectory }))
  );
}

/** Result objects for reading, one when the other is done. */
export function resultObjects(uris: readonly S3Uri[], place: ObjectsPlace): ResultFile[] {
  return uris.map((uri) => resultObject(uri, place));
}
