import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { S3Uri } from '../core/s3-uri.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';

/** A file of this machine that stands for an object. */
export interface FileInPlace {
  path: string;
  /** SHA-256 in hexadecimal. */
  digest: string;
}

/**
 * The store, in which these files are objects too, although nobody has copied them there: what a plan reads that makes no run. They
 * are only read; everything else is the store's own.
 */
export function withFilesInPlace(store: ObjectStore, files: ReadonlyMap<S3Uri, FileInPlace>): ObjectStore {
  const infoOf = async (uri: S3Uri, { path, digest }: FileInPlace): Promise<ObjectInfo> => ({
    uri,
    size: (await stat(path)).size,
    etag: `sha256-${digest}`,
  });
  return {
    ...store,
    head: async (uri) => {
      const file = files.get(uri);
      return file === undefined ? store.head(uri) : infoOf(uri, file);
    },
    list: (prefix) => listBoth(store, prefix, { files, infoOf }),
    read: (uri) => readOf(files.get(uri)) ?? store.read(uri),
    readStream: async (uri, range) => {
      const file = files.get(uri);
      return file === undefined ? store.readStream(uri, range) : createReadStream(file.path, range);
    },
    identityOf: async (object) => {
      const file = files.get(object.uri);
      return file === undefined ? store.identityOf(object) : `sha256-${file.digest}`;
    },
    fetchFile: async (uri, known) => {
      const file = files.get(uri);
      return file === undefined
        ? store.fetchFile(uri, known)
        : { path: file.path, [Symbol.asyncDispose]: async () => {} };
    },
    ...(store.localPath === undefined
      ? {}
      : { localPath: (uri: S3Uri) => files.get(uri)?.path ?? (store.localPath?.(uri) as string) }),
  };
}

function readOf(file: FileInPlace | undefined): Promise<Uint8Array> | undefined {
  return file === undefined ? undefined : readFile(file.path);
}

async function* listBoth(
  store: ObjectStore,
  prefix: S3Uri,
  {
    files,
    infoOf,
  }: {
    files: ReadonlyMap<S3Uri, FileInPlace>;
    infoOf: (uri: S3Uri, file: FileInPlace) => Promise<ObjectInfo>;
  },
): AsyncGenerator<ObjectInfo> {
  const objects = new Map<S3Uri, ObjectInfo>();
  for await (const object of store.list(prefix)) objects.set(object.uri, object);
  for (const [uri, file] of files) if (uri.startsWith(prefix)) objects.set(uri, await infoOf(uri, file));
  const inOrder = [...objects.values()].sort((a, b) =>
    Buffer.compare(Buffer.from(a.uri), Buffer.from(b.uri)),
  );
  yield* inOrder;
}
