import { rm, stat, utimes } from 'node:fs/promises';
import pLimit from 'p-limit';
import { InvalidDatasetError } from '../../core/errors.ts';
import type { Hash } from '../../core/jobs/job.ts';
import { joinS3Uri } from '../../core/s3-uri.ts';
import { type ContentDigests, createContentDigests } from '../../store/content-digest.ts';
import { digestsFolderOf, localPathOf } from '../../store/directory-store.ts';
import { copyWhole } from './copy-whole.ts';
import { datasetFolder, findLocalDataset, type StagedDataset, stagedIn } from './local-dataset.ts';

/** Where a local dataset is put, and how it is named there. */
export interface StagingPlace {
  directory: string;
  bucket: string;
  hash: Hash;
  /** What the files are said to be; undefined where their names tell. */
  format?: string | undefined;
  /** True where they are only planned over: they are left where they are. */
  isDraft?: boolean | undefined;
}

/**
 * Puts a local file or folder, or several, into the store's directory, under a name that is made of its content: the same dataset is the
 * same `s3_uri` wherever it lies and whenever it was touched, and a run never sees a file change under it. A copy that is
 * there already is kept; where the file system can, it shares the bytes. A file is read for its name once: what was learnt
 * of it, and of its copy, is noted.
 */
export async function stageDataset(
  paths: string | readonly string[],
  { directory, bucket, hash, format, isDraft = false }: StagingPlace,
): Promise<StagedDataset> {
  const dataset = await findLocalDataset([paths].flat(), { storeDirectory: directory, format });
  const { files, isFolder } = dataset;
  const digests = createContentDigests(digestsFolderOf(directory));
  const limit = pLimit(CONCURRENT_FILES);
  const staged = await limit.map(files, async (file) => ({ ...file, digest: await digests.of(file.path) }));
  const uri = datasetFolder(bucket, { isFolder, files: staged, hash });
  if (isDraft) {
    const places = staged.map(({ name, path, digest }) => [joinS3Uri(uri, name), { path, digest }] as const);
    return { ...stagedIn(uri, dataset), inPlace: new Map(places) };
  }
  const copies = staged.map((file) =>
    limit(() => copyUnlessThere(file, localPathOf(directory, joinS3Uri(uri, file.name)), digests)),
  );
  // None is still being copied when one has failed.
  await Promise.allSettled(copies);
  await Promise.all(copies);
  return stagedIn(uri, dataset);
}

/** Files that are read, or copied, at once: of small ones, most of the time is waiting for the disk. */
const CONCURRENT_FILES = 4;

interface StagedFile {
  path: string;
  name: string;
  /** SHA-256 in hexadecimal. */
  digest: string;
}

async function copyUnlessThere(
  { path, digest }: StagedFile,
  to: string,
  digests: ContentDigests,
): Promise<void> {
  const [source, target] = [await stat(path), await stat(to).catch(() => undefined)];
  if (target?.size === source.size) return;
  await copyWhole(path, to);
  // As old as what it is a copy of, so that what is noted of it now holds.
  await utimes(to, source.atime, source.mtime);
  if ((await digests.of(path)) !== digest) {
    await rm(to, { force: true });
    throw new InvalidDatasetError(
      `${path} changed while it was copied into ${to}. Start the run again once the file is finished.`,
    );
  }
  await digests.note(to, digest);
}
