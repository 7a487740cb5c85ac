import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InvalidRunInputError } from '../../core/errors.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { copyWhole } from '../../targets/local/copy-whole.ts';

/** Beside the results, it says whose they are; readers of a folder of Parquet pass over names that begin so. */
const SUMMARY_FILE = '_summary.json';
/** Its name in version 0.1.0. */
const FORMER_SUMMARY_FILE = 'summary.json';

/**
 * Puts a run's result files and its summary into a folder that is empty, or has the same run's already; their paths. A file
 * that is there is whole.
 */
export async function downloadResults(
  summary: RunSummary,
  { store }: { store: ObjectStore },
  directory: string,
): Promise<string[]> {
  await requireFreeFolder(directory, summary.run_id);
  const paths: string[] = [];
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`);
    for (const uri of summary.output_uris) {
      await using file = await store.fetchFile(uri as S3Uri);
      const path = join(directory, basename(uri));
      await copyWhole(file.path, path);
      paths.push(path);
    }
  } catch (error) {
    throw diskFaultOf(error, directory) ?? error;
  }
  return paths;
}

/** Throws where the folder has something in it that is not this run's; where no run is named, not any one run's. */
export async function requireFreeFolder(directory: string, runId?: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new InvalidRunInputError(`The results cannot be put into "${directory}": ${error.message}`, {
      cause: error,
    });
  });
  if (names.length === 0) return;
  const owner = await ownerOf(directory);
  if (owner !== undefined && (runId === undefined || owner === runId)) return;
  throw new InvalidRunInputError(
    owner === undefined
      ? `"${directory}" is not empty. Name an empty folder for the results.`
      : `"${directory}" has the results of run ${owner}. Name another folder for those of run ${runId}.`,
  );
}

/** The run whose results a folder has; undefined where it has none. */
async function ownerOf(directory: string): Promise<string | undefined> {
  for (const name of [SUMMARY_FILE, FORMER_SUMMARY_FILE]) {
    try {
      const text = await readFile(join(directory, name), 'utf8');
      return z.object({ run_id: z.string() }).parse(JSON.parse(text)).run_id;
    } catch {
      // Not there, or not ours.
    }
  }
  return undefined;
}
