import type { Dirent, Stats } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { Hash } from '../../core/jobs/job.ts';
import { createPassedOver, hiddenBelow, type PassedOver } from '../../core/passed-over.ts';
import { joinS3Uri, type S3Uri } from '../../core/s3-uri.ts';

/** A dataset among this machine's own files. */
export interface LocalDataset {
  isFolder: boolean;
  /** At least one; by name, which is the path below the folder. */
  files: { path: string; name: string }[];
  /** What is to be told of the folder's files that are not among them. */
  notes: string[];
}

/** A dataset of this machine, put where a run reads it. */
export interface StagedDataset {
  uri: S3Uri;
  /** What is to be told of it. */
  notes: string[];
}

/**
 * The file, or every file below the folder; links are followed. Files and folders whose names begin with `.` or `_` are passed
 * over, and so is `storeDirectory`, where runs are kept. Throws InvalidDatasetError where there is none, and for a link that
 * leads nowhere or to a folder that it is in.
 */
export async function findLocalDataset(path: string, storeDirectory: string): Promise<LocalDataset> {
  const source = resolve(path);
  const stats = await stat(source).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidDatasetError(
      `There is no file or folder "${path}". DATASET is a local path, s3://bucket/key or hf:owner/name.`,
      { cause: error },
    );
  });
  if (!stats.isDirectory()) {
    return { isFolder: false, files: [{ path: source, name: basename(source) }], notes: [] };
  }
  const passedOver = createPassedOver();
  const store = await realpath(storeDirectory).catch(() => undefined);
  const names = await namesBelow({ root: source, folder: '', above: [], store, passedOver });
  const notes = passedOver.notes();
  if (names.length === 0) {
    throw new InvalidDatasetError([`The folder "${path}" has no files.`, ...notes].join(' '));
  }
  return { isFolder: true, files: names.sort().map((name) => ({ path: join(source, name), name })), notes };
}

/** What a dataset's folder in a bucket is named after. */
export interface DatasetContent {
  isFolder: boolean;
  /** Names, and SHA-256 in hexadecimal. */
  files: readonly { name: string; digest: string }[];
  hash: Hash;
}

/** The folder of a dataset in a bucket: the same content is the same folder, from any machine. */
export function datasetFolder(bucket: string, { isFolder, files, hash }: DatasetContent): S3Uri {
  const identity = isFolder
    ? hash(JSON.stringify(files.map(({ name, digest }) => [name, digest])))
    : (files[0]?.digest ?? '');
  return joinS3Uri(`s3://${bucket}`, 'datasets', identity.slice(0, 16));
}

interface Search {
  root: string;
  /** The path of the folder that is looked into, below the root. */
  folder: string;
  /** Real paths of the folders that it is in. */
  above: readonly string[];
  /** Real path of the folder that runs are kept in. */
  store: string | undefined;
  passedOver: PassedOver;
}

/** Paths of the files below a folder, from the root on. */
async function namesBelow({ folder, ...search }: Search): Promise<string[]> {
  const { root, store, passedOver } = search;
  const real = await realpath(join(root, folder));
  if (search.above.includes(real)) {
    throw new InvalidDatasetError(
      `${join(root, folder)} is a link to ${real}, a folder that it is itself in. Remove the link, or name the files.`,
    );
  }
  const above = [...search.above, real];
  const names: string[] = [];
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = join(folder, entry.name);
    if (hiddenBelow(entry.name) !== undefined) {
      passedOver.add(entry.isDirectory() ? `${name}/` : name);
      continue;
    }
    const target = await targetOf(join(root, name), entry);
    if (target.isFile()) names.push(name);
    else if (!target.isDirectory()) continue;
    else if ((await realpath(join(root, name))) === store) passedOver.add(`${name}/`);
    else names.push(...(await namesBelow({ ...search, folder: name, above })));
  }
  return names;
}

/** What an entry of a folder is, or what it leads to. */
async function targetOf(path: string, entry: Dirent): Promise<Pick<Stats, 'isFile' | 'isDirectory'>> {
  if (!entry.isSymbolicLink()) return entry;
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ELOOP' ? 'which leads back to itself' : code === 'ENOENT' ? 'which is not there' : code;
    throw new InvalidDatasetError(
      `${path} is a link to ${await readlink(path)}, ${why}. Remove it, or mend what it leads to.`,
      { cause: error },
    );
  }
}
