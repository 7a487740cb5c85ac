import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { Hash } from '../../core/jobs/job.ts';
import { joinS3Uri, type S3Uri } from '../../core/s3-uri.ts';

/** A dataset among this machine's own files. */
export interface LocalDataset {
  isFolder: boolean;
  /** At least one; by name, which is the path below the folder. */
  files: { path: string; name: string }[];
}

/** The file, or every file below the folder but hidden ones; InvalidDatasetError where there is none. */
export async function findLocalDataset(path: string): Promise<LocalDataset> {
  const source = resolve(path);
  const stats = await stat(source).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidDatasetError(
      `There is no file or folder "${path}". DATASET is a local path, s3://bucket/key or hf:owner/name.`,
      { cause: error },
    );
  });
  if (!stats.isDirectory()) return { isFolder: false, files: [{ path: source, name: basename(source) }] };
  const paths = await filesBelow(source);
  if (paths.length === 0) throw new InvalidDatasetError(`The folder "${path}" has no files.`);
  return {
    isFolder: true,
    files: paths.map((file) => ({ path: file, name: file.slice(source.length + 1) })),
  };
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

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !/^[._]/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
