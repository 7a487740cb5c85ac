import { type BigIntStats, createReadStream, renameSync, statSync } from 'node:fs';
import { copyFile, link, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { NotSupportedError, ObjectNotFoundError } from '../core/errors.ts';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { createContentDigests } from './content-digest.ts';
import { causeOfFailedWrite, diskFaultOf } from './disk-fault.ts';
import { makeFolder, syncFile, syncFolder } from './durable-file.ts';
import type { ObjectInfo, ObjectStore, Replacement, TaggedObject } from './object-store.ts';
import { withVersionLock } from './version-lock.ts';

/** Folder of what is noted of files' contents; no bucket has a dot at its start. */
const DIGESTS_FOLDER = '.digests';
/** Unfinished writes; swept by nobody, seen by nobody: a listing passes them over. */
const TEMPORARY_PREFIX = '.quarry-tmp-';
let temporaryCount = 0;

/**
 * An object store in a directory: `s3://bucket/key` is `<directory>/bucket/key`.
 *
 * A write goes to a temporary file beside its place and is renamed, so that a killed process leaves the old
 * object or the new one. What was written is on the disk when the write has ended, and so is its name: a machine that loses
 * its power loses nothing of it.
 */
export function createDirectoryStore(directory: string): ObjectStore {
  const root = resolve(directory);
  const digests = createContentDigests(join(root, DIGESTS_FOLDER));
  return {
    head: (uri) => headFile(root, uri),
    list: (prefix) => listFiles(root, prefix),
    listFolders: (folder) => listFolders(root, folder),
    read: (uri) => telling(uri, () => readFile(pathOf(root, uri))),
    readStream: async (uri, range) => createReadStream(await requirePath(root, uri), range),
    write: (uri, body) => writeWhole(root, uri, (temporary) => writeFile(temporary, body), rename),
    writeIfAbsent: (uri, body) =>
      writeWhole(root, uri, (temporary) => writeFile(temporary, body), linkUnlessThere),
    readTagged: (uri) => readTagged(root, uri),
    replace: (uri, replacement) => replaceFile(root, uri, replacement),
    identityOf: ({ uri }) => telling(uri, async () => `sha256-${await digests.of(pathOf(root, uri))}`),
    putFile: (source, uri) => writeWhole(root, uri, (temporary) => moveFile(source, temporary), rename),
    fetchFile: async (uri) => ({
      path: await requirePath(root, uri),
      [Symbol.asyncDispose]: async () => {},
    }),
    localPath: (uri) => pathOf(root, uri),
    delete: (uri) => deleteFile(root, uri),
  };
}

/** The file of an object; throws for a key that would leave its bucket's folder. */
function pathOf(root: string, uri: S3Uri): string {
  const { bucket, key } = parseS3Uri(uri);
  const folder = join(root, bucket);
  const path = resolve(folder, key);
  if (!`${path}${sep}`.startsWith(folder + sep)) throw new ObjectNotFoundError(`"${uri}" leaves its bucket.`);
  return path;
}

async function requirePath(root: string, uri: S3Uri): Promise<string> {
  if ((await headFile(root, uri)) === undefined) throw new ObjectNotFoundError(`There is no object ${uri}.`);
  return pathOf(root, uri);
}

/** Does it, and tells a failure as one of the object. */
async function telling<T>(uri: S3Uri, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw toStoreError(error, uri);
  }
}

async function deleteFile(root: string, uri: S3Uri): Promise<void> {
  await rm(pathOf(root, uri), { force: true }).catch((error) => {
    throw toStoreError(error, uri, { isReading: false });
  });
}

/** Writes the temporary file with `fill`, then lets `place` move it into its place. */
async function writeWhole<T>(
  root: string,
  uri: S3Uri,
  fill: (temporary: string) => Promise<void>,
  place: (temporary: string, path: string) => Promise<T>,
): Promise<T> {
  const path = pathOf(root, uri);
  temporaryCount += 1;
  const temporary = join(dirname(path), `${TEMPORARY_PREFIX}${process.pid}-${temporaryCount}`);
  try {
    await makeFolder(dirname(path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' && error.code !== 'ENOTDIR') throw error;
      throw new NotSupportedError(
        `${uri} cannot be written: an object has the name of one of its folders. A directory cannot hold both.`,
        { cause: error },
      );
    });
    await fill(temporary);
    await syncFile(temporary);
    const placed = await place(temporary, path);
    await syncFolder(dirname(path));
    return placed;
  } catch (error) {
    throw toStoreError(await causeOfFailedWrite(error as NodeJS.ErrnoException, root), uri, {
      path,
      isReading: false,
    });
  } finally {
    // A temporary file that cannot be removed must not hide why the write failed.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

async function moveFile(from: string, to: string): Promise<void> {
  await rename(from, to).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV') throw error;
    await copyFile(from, to);
    await rm(from);
  });
}

async function headFile(root: string, uri: S3Uri): Promise<ObjectInfo | undefined> {
  const stats = await stat(pathOf(root, uri), { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (isMissing(error)) return undefined;
    throw toStoreError(error, uri);
  });
  if (stats === undefined || !stats.isFile()) return undefined;
  return { uri, size: Number(stats.size), etag: etagOf(stats) };
}

async function readTagged(root: string, uri: S3Uri): Promise<TaggedObject | undefined> {
  try {
    await using file = await open(pathOf(root, uri));
    // Of one open file: whatever takes its place meanwhile is another file.
    return { etag: etagOf(await file.stat({ bigint: true })), body: await file.readFile() };
  } catch (error) {
    if (isMissing(error as NodeJS.ErrnoException)) return undefined;
    throw toStoreError(error, uri);
  }
}

function replaceFile(root: string, uri: S3Uri, { body, etag }: Replacement): Promise<string | undefined> {
  return writeWhole(
    root,
    uri,
    (temporary) => writeFile(temporary, body),
    async (temporary, path) => {
      const written = etagOf(await stat(temporary, { bigint: true }));
      if (etag === undefined) return (await linkUnlessThere(temporary, path)) ? written : undefined;
      const lock = join(dirname(path), `${TEMPORARY_PREFIX}${basename(path)}-${etag}`);
      return withVersionLock(lock, () => {
        const present = statSync(path, { bigint: true, throwIfNoEntry: false });
        if (present === undefined || etagOf(present) !== etag) return undefined;
        renameSync(temporary, path);
        return written;
      });
    },
  );
}

function listFiles(root: string, prefix: S3Uri): AsyncIterable<ObjectInfo> {
  const { bucket, key } = parseS3Uri(prefix);
  pathOf(root, prefix);
  return listDirectory(root, { bucket, folder: key.slice(0, key.lastIndexOf('/') + 1), prefix: key });
}

async function* listDirectory(
  root: string,
  { bucket, folder, prefix }: { bucket: string; folder: string; prefix: string },
): AsyncGenerator<ObjectInfo> {
  for (const key of await entriesOf(root, bucket, folder)) {
    if (key.endsWith('/')) {
      const isOnTheWay = key.startsWith(prefix) || prefix.startsWith(key);
      if (isOnTheWay) yield* listDirectory(root, { bucket, folder: key, prefix });
    } else if (key.startsWith(prefix)) {
      const info = await headFile(root, `s3://${bucket}/${key}`);
      if (info !== undefined) yield info;
    }
  }
}

async function* listFolders(root: string, folder: S3Uri): AsyncGenerator<S3Uri> {
  const { bucket, key } = parseS3Uri(folder);
  for (const entry of await entriesOf(root, bucket, key)) {
    if (entry.endsWith('/')) yield `s3://${bucket}/${entry}`;
  }
}

/** The keys right below a folder, and its folders with a `/`, in the order of their bytes. */
async function entriesOf(root: string, bucket: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, bucket, folder), { withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (isMissing(error)) return [];
      throw toStoreError(error, `s3://${bucket}/${folder}`);
    },
  );
  // A folder sorts as its keys do, with the slash: "a-b" comes before "a/b".
  return entries
    .filter((entry) => !entry.name.startsWith(TEMPORARY_PREFIX))
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Every write makes a new file: two of one size within one tick of the clock differ in their inode. */
function etagOf({ size, mtimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ino].map((part) => part.toString(16)).join('-');
}

/** A hard link fails where the name exists, which a rename would silently replace: then it is false. */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The folder in which the digests of a store's files are noted. */
export function digestsFolderOf(directory: string): string {
  return join(directory, DIGESTS_FOLDER);
}

/** The local path under which a directory store keeps `uri`; for messages and for people. */
export function localPathOf(directory: string, uri: S3Uri): string {
  const { bucket, key } = parseS3Uri(uri);
  return join(directory, bucket, key);
}

function isMissing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT' || error.code === 'ENOTDIR';
}

function toStoreError(
  error: unknown,
  uri: string,
  { path, isReading = true }: { path?: string; isReading?: boolean } = {},
): unknown {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
      return new ObjectNotFoundError(`There is no object ${uri}.`, { cause: error });
    default:
      return diskFaultOf(error, path, { isReading }) ?? error;
  }
}
