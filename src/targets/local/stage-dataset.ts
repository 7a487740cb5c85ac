import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Hash } from '../../core/job.ts';
import { joinS3Uri, type S3Uri } from '../../core/s3-uri.ts';
import { localPathOf } from '../../store/directory-store.ts';
import { copyWhole } from './copy-whole.ts';
import { findLocalDataset } from './local-dataset.ts';

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
  const { files, isFolder } = await findLocalDataset(path);
  const identity: unknown[] = [];
  for (const file of files) {
    const { size, mtimeMs } = await stat(file.path);
    identity.push([file.path, size, mtimeMs]);
  }
  const uri = joinS3Uri(`s3://${bucket}`, 'datasets', hash(JSON.stringify(identity)).slice(0, 16));
  for (const file of files) {
    await copyUnlessThere(file.path, localPathOf(directory, joinS3Uri(uri, file.name)));
  }
  return isFolder ? uri : joinS3Uri(uri, basename(path));
}

async function copyUnlessThere(from: string, to: string): Promise<void> {
  const [source, target] = [await stat(from), await stat(to).catch(() => undefined)];
  if (target?.size !== source.size) await copyWhole(from, to);
}
