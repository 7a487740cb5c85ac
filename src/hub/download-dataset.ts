import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { InvalidDatasetError } from '../core/errors.ts';
import type { Transfer } from '../core/run/run-event.ts';
import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';
import type { ObjectInfo, ObjectStore } from '../store/object-store.ts';
import { isPlainJson } from './data-format.ts';
import { downloadHubFile } from './download-file.ts';
import type { HubAccess } from './hub-access.ts';
import { createHubClient } from './hub-client.ts';
import type { HubDataset, HubFile } from './hub-dataset.ts';
import { JSON_HEAD_BYTES, jsonFault } from './json-head.ts';

/** Files that are downloaded at once. */
const CONCURRENT_FILES = 4;

/** Where the files are, once they are downloaded. */
export interface HubObjectPlace {
  store: ObjectStore;
  /** The files go to `<prefixUri>/<owner>/<name>/<commit>/<config>/<split>/<file>`. */
  prefixUri: S3Uri;
}

/** Where the files go, and how. */
export interface HubDownloadOptions extends HubObjectPlace {
  /** Holds files until they are whole. Kept between calls, it lets a download continue; never share it between two at once. */
  scratchDirectory: string;
  onProgress?: (progress: Transfer) => void;
  signal?: AbortSignal;
}

/**
 * Downloads a dataset's files into the store, and returns their objects in the order of the dataset's rows. Whole
 * files that are there already are kept. Throws InvalidDatasetError where a file is not the one that was resolved,
 * or is neither JSON Lines nor a list of objects; ServiceUnavailableError where the Hub does not answer, and the next call continues.
 */
export async function downloadHubFiles(
  dataset: HubDataset,
  hub: HubAccess,
  { store, prefixUri, scratchDirectory, onProgress = () => {}, signal }: HubDownloadOptions,
): Promise<ObjectInfo[]> {
  const client = createHubClient(hub, { datasetId: dataset.datasetId, revision: dataset.filesCommit });
  await mkdir(scratchDirectory, { recursive: true });
  const failed = new AbortController();
  const stop = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(CONCURRENT_FILES);

  const place = async (file: HubFile): Promise<ObjectInfo> => {
    stop.throwIfAborted();
    const uri = hubObjectUri(file, dataset, prefixUri);
    const onBytes = (doneBytes: number) => onProgress({ path: file.path, doneBytes, totalBytes: file.bytes });
    const present = await store.head(uri);
    if (present?.size === file.bytes) {
      onBytes(file.bytes);
      return present;
    }
    const path = join(scratchDirectory, scratchNameOf(uri, file));
    await downloadHubFile(file, { client, commit: dataset.filesCommit, path, onBytes, signal: stop });
    if (isPlainJson(file.path)) await refuseOtherJson(path, file);
    await store.putFile(path, uri);
    const stored = await store.head(uri);
    if (stored?.size !== file.bytes) {
      throw new InvalidDatasetError(
        `${uri} has ${stored?.size ?? 'no'} bytes after ${file.bytes} were written.`,
      );
    }
    return stored;
  };

  const outcomes = await Promise.allSettled(
    dataset.files.map((file) =>
      limit(() =>
        place(file).catch((error: unknown) => {
          // The others stop too, and keep what they have for the next call.
          failed.abort(error);
          throw error;
        }),
      ),
    ),
  );
  if (stop.aborted) throw stop.reason;
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
}

/** True where every file of the dataset is in the store, whole. */
export async function hasHubFiles(
  dataset: HubDataset,
  { store, prefixUri }: HubObjectPlace,
): Promise<boolean> {
  for (const file of dataset.files) {
    const present = await store.head(hubObjectUri(file, dataset, prefixUri));
    if (present?.size !== file.bytes) return false;
  }
  return true;
}

/** Where a file of a dataset is in the store. */
export function hubObjectUri(
  { path }: HubFile,
  { datasetId, filesCommit, configName, split }: HubDataset,
  prefixUri: S3Uri,
): S3Uri {
  const segments = [...datasetId.split('/'), filesCommit, configName, split, ...path.split('/')];
  return joinS3Uri(prefixUri, ...segments.map(toPlainKey));
}

/** A path's segment without the characters that globs and `key=value` folders would give a meaning to. */
function toPlainKey(segment: string): string {
  return encodeURIComponent(segment).replaceAll('*', '%2A');
}

/** Another content or place is another name, so that a download is never continued with the bytes of another. */
function scratchNameOf(uri: S3Uri, { etag, bytes }: HubFile): string {
  return `${createHash('sha256').update(`${uri}\n${etag}\n${bytes}`).digest('hex').slice(0, 40)}.partial`;
}

async function refuseOtherJson(path: string, file: HubFile): Promise<void> {
  await using handle = await open(path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(JSON_HEAD_BYTES), 0, JSON_HEAD_BYTES, 0);
  const fault = jsonFault(buffer.subarray(0, bytesRead), file.path);
  if (fault !== undefined) {
    throw new InvalidDatasetError(`${file.path} ${fault}. Write it as JSON Lines, and give that as s3_uri.`);
  }
}
