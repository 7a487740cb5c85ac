import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InvalidDatasetError } from '../core/errors.ts';
import type { Hash } from '../core/job.ts';
import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { localPathOf } from '../store/directory-store.ts';
import { diskFaultOf } from '../store/disk-fault.ts';

/** Where a local dataset is put, and how it is named there. */
export interface StagingPlace {
  directory: string;
  bucket: string;
  hash: Hash;
}

/**
 * Puts a local file or folder into the store's directory, under a name that changes with its size and time of
 * change, so that the same dataset is the same `s3_uri` and a run never sees a file change under it. A copy that
 * is there already is kept; where the file system can, it shares the bytes.
 */
export async function stageDataset(path: string, { directory, bucket, hash }: StagingPlace): Promise<S3Uri> {
  const source = resolve(path);
  const stats = await stat(source).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidDatasetError(
      `There is no file or folder "${path}". DATASET is a local path, s3://bucket/key or hf:owner/name.`,
      { cause: error },
    );
  });
  const files = stats.isDirectory() ? await filesBelow(source) : [source];
  if (files.length === 0) throw new InvalidDatasetError(`The folder "${path}" has no files.`);
  const identity: unknown[] = [];
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    identity.push([file, size, mtimeMs]);
  }
  const uri = joinS3Uri(`s3://${bucket}`, 'datasets', hash(JSON.stringify(identity)).slice(0, 16));
  for (const file of files) {
    const key = stats.isDirectory() ? file.slice(source.length + 1) : basename(file);
    await copyWhole(file, localPathOf(directory, joinS3Uri(uri, key)));
  }
  return stats.isDirectory() ? uri : joinS3Uri(uri, basename(source));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && !/^[._]/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function copyWhole(from: string, to: string): Promise<void> {
  const [source, target] = [await stat(from), await stat(to).catch(() => undefined)];
  if (target?.size === source.size) return;
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw diskFaultOf(error) ?? error;
  }
}
