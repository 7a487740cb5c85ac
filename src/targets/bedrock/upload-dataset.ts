import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import { joinS3Uri } from '../../core/s3-uri.ts';
import { digestOf } from '../../store/content-digest.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { uploadStream } from '../../store/s3-upload.ts';
import { datasetFolder, findLocalDataset, type StagedDataset, stagedIn } from '../local/local-dataset.ts';
import { sha256 } from '../local/local-target.ts';

/** Where a dataset is uploaded to. */
export interface DatasetUpload {
  client: S3Client;
  /** The same S3, for looking at what is there. */
  store: ObjectStore;
  /** This machine's folder of runs, which is no part of a dataset. */
  directory: string;
  bucket: string;
  /** What the files are said to be; undefined where their names tell. */
  format?: string | undefined;
  bucketOwner?: string | undefined;
  onProgress?: (progress: RunEvent) => void;
  signal?: AbortSignal | undefined;
}

/** Bytes of a file read at once. */
const CHUNK_BYTES = 1024 ** 2;

/**
 * Puts a local file or folder, or several, below `s3://bucket/datasets/`, under a name that is made of its content: the same dataset is
 * the same `s3_uri` from any machine, is uploaded once, and never changes under a run.
 */
export async function uploadDataset(
  paths: string | readonly string[],
  upload: DatasetUpload,
): Promise<StagedDataset> {
  const { store, directory, bucket, bucketOwner, client, onProgress, signal } = upload;
  const dataset = await findLocalDataset([paths].flat(), {
    storeDirectory: directory,
    format: upload.format,
  });
  const { files, isFolder } = dataset;
  const hashed: HashedFile[] = [];
  for (const { path: file, name } of files) {
    hashed.push({ path: file, name, digest: await digestOf(file, signal), size: (await stat(file)).size });
  }
  const folder = datasetFolder(bucket, { isFolder, files: hashed, hash: sha256 });
  for (const file of hashed) {
    const uri = joinS3Uri(folder, file.name);
    // An object is there whole or not at all.
    if ((await store.head(uri))?.size === file.size) continue;
    await uploadStream(Readable.from(bytesOfUnchanged(file), { objectMode: false }), {
      client,
      uri,
      size: file.size,
      expectedOwner: bucketOwner,
      signal,
      onProgress: (doneBytes) =>
        onProgress?.({ kind: 'uploaded', path: file.name, doneBytes, totalBytes: file.size }),
    });
  }
  return stagedIn(folder, dataset);
}

interface HashedFile {
  path: string;
  name: string;
  /** SHA-256 in hexadecimal. */
  digest: string;
  /** Bytes. */
  size: number;
}

/** The bytes of a file; throws before the last of them is taken where they are not those that its name is made of. */
async function* bytesOfUnchanged({ path, digest }: HashedFile): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== digest) {
    throw new InvalidDatasetError(
      `${path} changed while it was uploaded. Nothing of it was kept; start the run again once the file is finished.`,
    );
  }
}
