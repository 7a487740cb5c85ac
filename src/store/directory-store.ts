import { constants, createReadStream } from 'node:fs';
import {
  access,
  copyFile,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { NotSupportedError, ObjectNotFoundError } from '../core/errors.ts';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { diskFaultOf } from './disk-fault.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';

/** Unfinished writes; swept by nobody, seen by nobody: a listing passes them over. */
const TEMPORARY_PREFIX = '.quarry-tmp-';
let temporaryCount = 0;

/**
 * An object store in a directory: `s3://bucket/key` is `<directory>/bucket/key`.
 *
 * A write goes to a temporary file beside its place and is renamed, so that a killed process leaves the old
 * object or the new one.
 */
export function createDirectoryStore(directory: string): ObjectStore {
  const root = resolve(directory);

  /** The file of an object; rejects a key that would leave its bucket's folder. */
  const pathOf = (uri: S3Uri): string => {
    const { bucket, key } = parseS3Uri(uri);
    const folder = join(root, bucket);
    const path = resolve(folder, key);
    if (!`${path}${sep}`.startsWith(folder + sep))
      throw new ObjectNotFoundError(`"${uri}" leaves its bucket.`);
    return path;
  };

  /** Writes the temporary file with `fill`, then lets `place` move it into its place. */
  const writeWhole = async <T>(
    uri: S3Uri,
    fill: (temporary: string) => Promise<void>,
    place: (temporary: string, path: string) => Promise<T>,
  ): Promise<T> => {
    const path = pathOf(uri);
    temporaryCount += 1;
    const temporary = join(dirname(path), `${TEMPORARY_PREFIX}${process.pid}-${temporaryCount}`);
    try {
      await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error;
        throw new NotSupportedError(
          `${uri} cannot be written: an object has the name of one of its folders. A directory cannot hold both.`,
          { cause: error },
        );
      });
      await fill(temporary);
      return await place(temporary, path);
    } catch (error) {
      throw toStoreError(await causeOfFailedWrite(error as NodeJS.ErrnoException), uri, path);
    } finally {
      // A temporary file that cannot be removed must not hide why the write failed.
      await rm(temporary, { force: true }).catch(() => {});
    }
  };

  /** On a disk that is read only, making a folder fails as if its parent were missing. */
  const causeOfFailedWrite = async (error: NodeJS.ErrnoException): Promise<NodeJS.ErrnoException> => {
    if (!isMissing(error)) return error;
    const denial = await access(root, constants.W_OK).catch((denied: NodeJS.ErrnoException) => denied);
    return denial ?? error;
  };

  const head = async (uri: S3Uri): Promise<ObjectInfo | undefined> => {
    const stats = await stat(pathOf(uri), { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (isMissing(error)) return undefined;
      throw toStoreError(error, uri);
    });
    if (stats === undefined || !stats.isFile()) return undefined;
    return {
      uri,
      size: Number(stats.size),
      // Every write makes a new file: two of one size within one tick of the clock differ in their inode.
      etag: [stats.size, stats.mtimeNs, stats.ino].map((part) => part.toString(16)).join('-'),
    };
  };

  async function* listDirectory(bucket: string, folder: string, prefix: string): AsyncGenerator<ObjectInfo> {
    const entries = await readdir(join(root, bucket, folder), { withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (isMissing(error)) return [];
        throw toStoreError(error, `s3://${bucket}/${folder}`);
      },
    );
    // A folder sorts as its keys do, with the slash: "a-b" comes before "a/b".
    const keys = entries
      .filter((entry) => !entry.name.startsWith(TEMPORARY_PREFIX))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const key of keys) {
      if (key.endsWith('/')) {
        if (key.startsWith(prefix) || prefix.startsWith(key)) yield* listDirectory(bucket, key, prefix);
      } else if (key.startsWith(prefix)) {
        const info = await head(`s3://${bucket}/${key}`);
        if (info !== undefined) yield info;
      }
    }
  }

  return {
    head,
    list: (prefix) => {
      const { bucket, key } = parseS3Uri(prefix);
      pathOf(prefix);
      return listDirectory(bucket, key.slice(0, key.lastIndexOf('/') + 1), key);
    },
    read: async (uri) => {
      try {
        return await readFile(pathOf(uri));
      } catch (error) {
        throw toStoreError(error, uri);
      }
    },
    readStream: async (uri, range) => {
      if ((await head(uri)) === undefined) throw new ObjectNotFoundError(`There is no object ${uri}.`);
      return createReadStream(pathOf(uri), range);
    },
    write: (uri, body) =>
      writeWhole(
        uri,
        (temporary) => writeFile(temporary, body),
        (temporary, path) => rename(temporary, path),
      ),
    // A hard link fails where the name exists, which a rename would silently replace.
    writeIfAbsent: (uri, body) =>
      writeWhole(
        uri,
        (temporary) => writeFile(temporary, body),
        (temporary, path) =>
          link(temporary, path).then(
            () => true,
            (error: NodeJS.ErrnoException) => {
              if (error.code === 'EEXIST') return false;
              throw error;
            },
          ),
      ),
    putFile: (source, uri) =>
      writeWhole(
        uri,
        (temporary) =>
          rename(source, temporary).catch(async (error: NodeJS.ErrnoException) => {
            if (error.code !== 'EXDEV') throw error;
            await copyFile(source, temporary);
            await rm(source);
          }),
        (temporary, path) => rename(temporary, path),
      ),
    fetchFile: async (uri) => {
      if ((await head(uri)) === undefined) throw new ObjectNotFoundError(`There is no object ${uri}.`);
      return { path: pathOf(uri), [Symbol.asyncDispose]: async () => {} };
    },
    localPath: pathOf,
    delete: async (uri) => {
      try {
        await rm(pathOf(uri), { force: true });
      } catch (error) {
        throw toStoreError(error, uri);
      }
    },
  };
}

/** The local path under which a directory store keeps `uri`; for messages and for people. */
export function localPathOf(directory: string, uri: S3Uri): string {
  const { bucket, key } = parseS3Uri(uri);
  return join(directory, bucket, key);
}

function isMissing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT' || error.code === 'ENOTDIR';
}

function toStoreError(error: unknown, uri: string, path?: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
      return new ObjectNotFoundError(`There is no object ${uri}.`, { cause: error });
    default:
      return diskFaultOf(error, path) ?? error;
  }
}
