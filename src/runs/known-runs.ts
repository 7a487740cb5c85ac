import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DamagedFileError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { readJson, readJsonIfPresent, writeJson } from '../store/json-object.ts';
import { onlyOneOf } from './run-store.ts';
import { RunTarget } from './run-target.ts';

/** What this machine remembers of a run: where it lives. */
const KnownRun = z.object({
  run_id: z.string(),
  target: RunTarget,
  /** When it was last started or gone on with from here. */
  remembered_at: z.string().optional(),
});
export type KnownRun = z.infer<typeof KnownRun>;
KnownRun.register(z.globalRegistry, {
  title: 'the word of where a run lives',
  mend: 'Delete it, and name the run’s target: --target bedrock --bucket …',
});

/** Below `--dir`, one JSON file for each run. */
const FOLDER = 's3://known-runs';

/** Remembers where a run lives; what was remembered before, if that was another place. */
export async function rememberRun(
  directory: string,
  run: Pick<KnownRun, 'run_id' | 'target'>,
): Promise<RunTarget | undefined> {
  // One that is damaged is written anew.
  const before = (await recallRun(directory, run.run_id).catch(unlessDamaged))?.target;
  const known: KnownRun = { ...run, remembered_at: new Date().toISOString() };
  await writeJson(createDirectoryStore(directory), uriOf(run.run_id), known);
  return isDeepStrictEqual(before, run.target) ? undefined : before;
}

/** What is remembered of a run; undefined where nothing is. */
export async function recallRun(directory: string, runId: string): Promise<KnownRun | undefined> {
  if (!/^[a-zA-Z0-9-]+$/.test(runId)) return undefined;
  const store = createDirectoryStore(directory);
  return readJsonIfPresent(store, uriOf(runId), KnownRun);
}

/**
 * The id of the run that is meant by an id or the beginning of one, or where neither is given by the newest: of those that are
 * remembered. The name itself where none of them is meant.
 */
export async function recallName(directory: string, name: string | undefined): Promise<string | undefined> {
  if (name !== undefined) {
    const ids = (await knownUris(directory)).map(idIn);
    return onlyOneOf(name, ids) ?? name;
  }
  const { runs: known, damaged } = await listKnownRuns(directory);
  if (known.length === 0 && damaged[0] !== undefined) throw damaged[0].fault;
  const timeOf = ({ remembered_at = '' }: KnownRun) => remembered_at;
  return known.sort((a, b) => timeOf(b).localeCompare(timeOf(a)))[0]?.run_id;
}

/** Every run that is remembered, by name, and those of which the word cannot be read: one must not hide the others. */
export async function listKnownRuns(
  directory: string,
): Promise<{ runs: KnownRun[]; damaged: { run_id: string; fault: DamagedFileError }[] }> {
  const store = createDirectoryStore(directory);
  const runs: KnownRun[] = [];
  const damaged: { run_id: string; fault: DamagedFileError }[] = [];
  for (const uri of await knownUris(directory)) {
    try {
      runs.push(await readJson(store, uri, KnownRun));
    } catch (fault) {
      if (!(fault instanceof DamagedFileError)) throw fault;
      damaged.push({ run_id: idIn(uri), fault });
    }
  }
  return { runs, damaged };
}

function unlessDamaged(error: unknown): undefined {
  if (!(error instanceof DamagedFileError)) throw error;
}

function idIn(uri: S3Uri): string {
  return uri.slice(`${FOLDER}/`.length, -'.json'.length);
}

function knownUris(directory: string): Promise<S3Uri[]> {
  return Array.fromAsync(createDirectoryStore(directory).list(`${FOLDER}/`), ({ uri }) => uri);
}

function uriOf(runId: string): S3Uri {
  return `${FOLDER}/${runId}.json`;
}
