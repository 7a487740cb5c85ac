import { InvalidDatasetError, NotSupportedError } from '../core/errors.ts';
import type { RunInput } from '../core/run-input.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { LocalDatasetFile } from '../dataset/describe.ts';
import type { ObjectInfo, ObjectStore } from '../store/object-store.ts';

/** The dataset's objects: the one that `s3_uri` names, or all below it but hidden ones. */
export async function listDatasetFiles(input: RunInput, store: ObjectStore): Promise<ObjectInfo[]> {
  if (input.s3_uri === undefined) {
    throw new NotSupportedError(
      `dataset_id "${input.dataset_id}": Hugging Face datasets are not yet supported. Download its files and give them as s3_uri.`,
    );
  }
  const uri = input.s3_uri as S3Uri;
  const object = uri.endsWith('/') ? undefined : await store.head(uri);
  if (object !== undefined) return [object];
  const files: ObjectInfo[] = [];
  for await (const info of store.list(uri.endsWith('/') ? uri : `${uri}/`)) {
    // Spark and others leave _SUCCESS and .crc files beside the data.
    const name = info.uri.slice(info.uri.lastIndexOf('/') + 1);
    if (name !== '' && !/^[._]/.test(name)) files.push(info);
  }
  if (files.length === 0) throw new InvalidDatasetError(`There is no object ${uri}, and none below ${uri}/.`);
  return files;
}

/** Calls `use` with the objects as local files, which are let go afterwards. */
export async function withLocalFiles<T>(
  files: readonly ObjectInfo[],
  store: ObjectStore,
  use: (local: LocalDatasetFile[]) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const local: LocalDatasetFile[] = [];
  for (const { uri, size, etag } of files) {
    const file = stack.use(await store.fetchFile(uri));
    local.push({ uri, bytes: size, etag, path: file.path });
  }
  return await use(local);
}
