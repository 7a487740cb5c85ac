import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InvalidRunInputError, QuarryError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { readJson, readJsonIfPresent, writeJson } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { RunTarget } from './run-target.ts';

/** What this machine remembers of a run: where it lives. */
const KnownRun = z.object({ run_id: z.string(), target: RunTarget });
export type KnownRun = z.infer<typeof KnownRun>;

/** Below `--dir`, one JSON file for each run. */
const FOLDER = 's3://known-runs';

/** Remembers where a run lives; what was remembered before, if that was another place. */
export async function rememberRun(directory: string, run: KnownRun): Promise<RunTarget | undefined> {
  const before = (await recallRun(directory, run.run_id))?.target;
  if (isDeepStrictEqual(before, run.target)) return undefined;
  await writeJson(createDirectoryStore(directory), uriOf(run.run_id), run);
  return before;
}

/** What is remembered of a run; undefined where nothing is. */
export async function recallRun(directory: string, runId: string): Promise<KnownRun | undefined> {
  if (!/^[a-zA-Z0-9-]+$/.test(runId)) return undefined;
  const store = createDirectoryStore(directory);
  return inWords(store, uriOf(runId), () => readJsonIfPresent(store, uriOf(runId), KnownRun));
}

/** Every run that is remembered, by name. */
export async function listKnownRuns(directory: string): Promise<KnownRun[]> {
  const store = createDirectoryStore(directory);
  const runs: KnownRun[] = [];
  for await (const { uri } of store.list(`${FOLDER}/`)) {
    runs.push(await inWords(store, uri, () => readJson(store, uri, KnownRun)));
  }
  return runs;
}

/** Reads, and says which file it is that cannot be read. */
async function inWords<T>(store: ObjectStore, uri: S3Uri, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof QuarryError) throw error;
    throw new InvalidRunInputError(
      `${store.localPath?.(uri)} does not say where a run lives, as this version writes it. Delete it, and name the run’s target: --target bedrock --bucket …`,
      { cause: error },
    );
  }
}

function uriOf(runId: string): S3Uri {
  return `${FOLDER}/${runId}.json`;
}
