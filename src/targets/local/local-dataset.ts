import type { Dirent, Stats } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { Hash } from '../../core/jobs/job.ts';
import { createPassedOver, hiddenBelow, type PassedOver } from '../../core/passed-over.ts';
import { joinS3Uri, type S3Uri } from '../../core/s3-uri.ts';
import { parseSourceName } from '../../rows/sources/source-name.ts';
import type { FileInPlace } from '../../store/files-in-place.ts';
import { matchesOf, parsePathPattern } from './path-pattern.ts';

/** A file of a dataset. */
export interface LocalFile {
  path: string;
  /** Its path below the dataset's folder. */
  name: string;
  /** As the user named it, or would. */
  given: string;
}

/** A dataset among this machine's own files. */
export interface LocalDataset {
  /** As the user named it. */
  given: string;
  isFolder: boolean;
  /** At least one, in the order of its rows, which is that of the names. */
  files: LocalFile[];
  /** What is to be told of the files beside them that are not among them. */
  notes: string[];
}

/** A dataset of this machine, put where a run reads it. */
export interface StagedDataset {
  uri: S3Uri;
  /** URIs, and what the user calls what is there; the longer URI first, where one is the beginning of another. */
  names: readonly (readonly [uri: S3Uri, given: string])[];
  /** What is to be told of it. */
  notes: string[];
  /** The deepest folder of this machine that all of its files are in; where relative paths in it start from. */
  folder: string;
  /** Files that were left where they are, by what their URI would be; empty where they were put there. */
  inPlace: ReadonlyMap<S3Uri, FileInPlace>;
}

/** Where a dataset is looked for, beside its paths. */
export interface LocalSearch {
  /** Where runs are kept: never part of a dataset's folder. */
  storeDirectory: string;
  /** What the files are said to be; undefined where their names tell. */
  format: string | undefined;
}

/**
 * The file, or every file below the folder; of several paths, all of them in the order that is given. A path is what it says;
 * only where there is nothing at it, it may be a pattern. Links are followed. Files and folders whose names begin with `.` or
 * `_` are passed over, unless they are named. Throws InvalidDatasetError where there is no file, for a link that leads nowhere
 * or to a folder that it is in, and where names tell of two formats.
 */
export async function findLocalDataset(
  paths: readonly string[],
  { storeDirectory, format }: LocalSearch,
): Promise<LocalDataset> {
  const passedOver = createPassedOver();
  const store = await realpath(storeDirectory).catch(() => undefined);
  const [only = '', ...others] = paths;
  const found = others.length === 0 ? await filesAt(only, { store, passedOver }) : undefined;
  const dataset =
    found === undefined
      ? {
          given: others.length === 0 ? only : 'the dataset',
          ...(await filesOf(paths, { store, passedOver })),
        }
      : { given: only.replace(/(?<=.)\/+$/, ''), ...found };
  if (format === undefined) requireOneFormat(dataset.files);
  return { ...dataset, notes: passedOver.notes() };
}

type Found = Pick<LocalDataset, 'isFolder' | 'files'>;
type Passing = Pick<Search, 'store' | 'passedOver'>;

/** The files of several paths, or of a pattern. */
async function filesOf(paths: readonly string[], passing: Passing): Promise<Found> {
  const files: LocalFile[] = [];
  for (const path of paths) {
    files.push(...((await filesAt(path, passing))?.files ?? (await filesLike(path, passing))));
  }
  refuseTwice(files);
  // Numbered, since a folder's files have the order of their names.
  const named = files.map((file, index) => ({
    ...file,
    name: `${String(index + 1).padStart(6, '0')}-${basename(file.name)}`,
  }));
  return { isFolder: true, files: named };
}

/** The file at a path, or the files below it; undefined where there is nothing. */
async function filesAt(path: string, { store, passedOver }: Passing): Promise<Found | undefined> {
  const root = resolve(path);
  const stats = await stat(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new InvalidDatasetError(`"${path}" cannot be read: ${error.message}`, { cause: error });
  });
  if (stats === undefined) return undefined;
  if (!stats.isDirectory()) {
    return { isFolder: false, files: [{ path: root, name: basename(root), given: path }] };
  }
  const names = await namesBelow({ root, folder: '', above: [], store, passedOver });
  if (names.length === 0) {
    throw new InvalidDatasetError([`The folder "${path}" has no files.`, ...passedOver.notes()].join(' '));
  }
  return {
    isFolder: true,
    files: names.sort().map((name) => ({ path: join(root, name), name, given: join(path, name) })),
  };
}

/** The files that a path stands for as a pattern. */
async function filesLike(path: string, { passedOver }: Passing): Promise<LocalFile[]> {
  const like = await parsePathPattern(path);
  const matches = like === undefined ? [] : await matchesOf(like, passedOver);
  if (like === undefined || matches.length === 0) {
    const none = `There is no file or folder "${path}"${like === undefined ? '' : ', and no file that it matches as a pattern'}. DATASET is a local path, s3://bucket/key or hf:owner/name.`;
    throw new InvalidDatasetError([none, ...passedOver.notes()].join(' '));
  }
  const given = path.slice(0, Math.max(0, path.length - like.pattern.length));
  return matches.map((name) => ({ path: join(like.folder, name), name, given: `${given}${name}` }));
}

function refuseTwice(files: readonly LocalFile[]): void {
  const seen = new Set<string>();
  for (const { path, given } of files) {
    if (seen.has(path)) {
      throw new InvalidDatasetError(
        `"${given}" is in the dataset twice: its rows would be sent, and paid for, twice. Name it once.`,
      );
    }
    seen.add(path);
  }
}

/** Before any of it is copied: Plan would refuse it too. */
function requireOneFormat(files: readonly LocalFile[]): void {
  const formats = files.map(({ name, given }) => ({
    given,
    format: parseSourceName(`s3://-/${name}`)?.format,
  }));
  const [first] = formats;
  const other = formats.find(({ format }) => format !== first?.format);
  // Of names that say nothing Plan knows more to tell.
  if (other?.format === undefined || first?.format === undefined) return;
  throw new InvalidDatasetError(
    `The dataset mixes formats: ${first.given} is ${first.format}, ${other.given} is ${other.format}. Give files of one format.`,
  );
}

/** A dataset that was put into the folder of a bucket. */
export function stagedIn(folder: S3Uri, { given, isFolder, files, notes }: LocalDataset): StagedDataset {
  const at = (name = '') => joinS3Uri(folder, name);
  const names = files.map((file) => [at(file.name), file.given] as const);
  const rest = { notes, folder: commonFolderOf(files), inPlace: new Map<S3Uri, FileInPlace>() };
  return isFolder
    ? { uri: folder, names: [...names, [folder, given]], ...rest }
    : { uri: at(files[0]?.name), names, ...rest };
}

function commonFolderOf([first, ...others]: readonly LocalFile[]): string {
  let common = dirname(first?.path ?? '');
  for (const { path } of others) {
    while (common !== dirname(common) && !path.startsWith(common.endsWith(sep) ? common : `${common}${sep}`))
      common = dirname(common);
  }
  return common;
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
