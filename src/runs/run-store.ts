import pLimit from 'p-limit';
import { DamagedFileError, InvalidRunInputError, NotSupportedError } from '../core/errors.ts';
import { RunPlan } from '../core/plan/run-plan.ts';
import { RunFailure } from '../core/run/run-stop.ts';
import { type RunStatus, RunSummary } from '../core/run/summary.ts';
import { byLikeness } from '../core/text/nearest.ts';
import { readJsonIfPresent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { ClaimRecord } from './claim.ts';
import { type RunLayout, runLayout, runsUri, runUriOf } from './run-layout.ts';
import { workerOf } from './run-lock.ts';

/** Where runs are. */
export interface RunPlace {
  store: ObjectStore;
  bucket: string;
}

/** A run as its files tell it. */
export interface StoredRun {
  layout: RunLayout;
  plan: RunPlan;
  /** Undefined until the run has ended. */
  summary: RunSummary | undefined;
}

/**
 * What a run is: `running`, or `cancelling`, where a process is working on it; `failed` where something broke it, `stopped` where
 * nobody is working on it any more, `cancelled`; or how it ended.
 */
export type RunCondition = RunStatus | 'running' | 'cancelling' | 'failed';

/** A run, what it is, and who makes it so. */
export interface RunStanding {
  condition: RunCondition;
  /** The process at work on it. */
  worker: ClaimRecord | undefined;
  /** What broke it the last time. */
  failure: RunFailure | undefined;
}

/** What an id of a run, or the beginning of one, is made of. */
const RUN_NAME = /^[a-zA-Z0-9-]+$/;
/** Runs that are looked at at once. */
const CONCURRENT_RUNS = 16;

/** A run whose plan or summary cannot be read. */
export interface DamagedRun {
  run_id: string;
  /** Names the file, and says what to do. */
  fault: DamagedFileError | NotSupportedError;
}

/** Every run in a bucket: those that can be read, the newest first, and those that cannot. */
export async function listRuns({
  store,
  bucket,
}: RunPlace): Promise<{ runs: StoredRun[]; damaged: DamagedRun[] }> {
  const ids = await runIds({ store, bucket });
  const read = await pLimit(CONCURRENT_RUNS).map(ids, async (run_id) => {
    try {
      return await readRun({ store, bucket }, run_id);
    } catch (error) {
      // One of many must not hide the others.
      if (error instanceof DamagedFileError || error instanceof NotSupportedError)
        return { run_id, fault: error };
      throw error;
    }
  });
  const runs = read.flatMap((run) => (run !== undefined && 'plan' in run ? [run] : []));
  return {
    runs: runs.sort((a, b) => b.plan.created_at.localeCompare(a.plan.created_at)),
    damaged: read.flatMap((run) => (run !== undefined && 'fault' in run ? [run] : [])),
  };
}

/** Where else a run may be. */
const ELSEWHERE =
  ' A run that was started from another machine or folder is found by its --dir, with --target bedrock and its --bucket, or with --target aws.';

/**
 * The run of an id or of the beginning of one, the newest where none is given; InvalidRunInputError that lists the known ones,
 * the nearest first.
 */
export async function findRun(place: RunPlace, name?: string): Promise<StoredRun> {
  if (name === undefined) return findNewest(place);
  const run = await readRun(place, await fullRunId(place, name));
  if (run !== undefined) return run;
  const known = byLikeness(name, await runIds(place));
  throw new InvalidRunInputError(
    known.length === 0
      ? `There is no run "${name}": there are no runs here yet.${ELSEWHERE}`
      : `There is no run "${name}". Runs here, the nearest first: ${known.slice(0, 5).join(', ')}.${ELSEWHERE}`,
  );
}

async function findNewest(place: RunPlace): Promise<StoredRun> {
  const {
    runs: [newest],
    damaged: [damaged],
  } = await listRuns(place);
  if (newest === undefined && damaged !== undefined) throw damaged.fault;
  if (newest === undefined) throw new InvalidRunInputError(`There are no runs here yet.${ELSEWHERE}`);
  return newest;
}

/** The id of the one run that has this name, or begins with it; the name itself where there is none. */
export async function fullRunId(place: RunPlace, name: string): Promise<string> {
  const { store, bucket } = place;
  if (!RUN_NAME.test(name)) return name;
  if ((await store.head(runLayout(runUriOf(bucket, name)).plan)) !== undefined) return name;
  return onlyOneOf(name, await runIds(place)) ?? name;
}

/** The one of these ids that begins so; InvalidRunInputError where there are several, undefined where there is none. */
export function onlyOneOf(name: string, ids: readonly string[]): string | undefined {
  const found = ids.filter((id) => id.startsWith(name));
  if (found.length < 2 || found.includes(name)) return found.includes(name) ? name : found[0];
  const more = found.length > 5 ? `, and ${found.length - 5} more` : '';
  throw new InvalidRunInputError(
    `Several runs begin with "${name}": ${found.slice(0, 5).join(', ')}${more}. Write more of the one that you mean.`,
  );
}

/** The run of an id; undefined where it has no plan. */
export async function readRun({ store, bucket }: RunPlace, runId: string): Promise<StoredRun | undefined> {
  if (!RUN_NAME.test(runId)) return undefined;
  const layout = runLayout(runUriOf(bucket, runId));
  const plan = await readJsonIfPresent(store, layout.plan, RunPlan);
  if (plan === undefined) return undefined;
  return { layout, plan, summary: await readJsonIfPresent(store, layout.summary, RunSummary) };
}

/** What a run that no execution on AWS is working on is. */
export async function standingOf(
  { layout, summary }: Pick<StoredRun, 'layout' | 'summary'>,
  store: ObjectStore,
): Promise<RunStanding> {
  if (summary !== undefined) return { condition: summary.status, worker: undefined, failure: undefined };
  const [worker, failure, cancellation] = await Promise.all([
    workerOf(layout, store),
    readJsonIfPresent(store, layout.failure, RunFailure),
    store.head(layout.cancellation),
  ]);
  const isCancelled = cancellation !== undefined;
  if (worker !== undefined) return { condition: isCancelled ? 'cancelling' : 'running', worker, failure };
  if (isCancelled) return { condition: 'cancelled', worker, failure };
  return { condition: failure === undefined ? 'stopped' : 'failed', worker, failure };
}

/** The run input that finds this run again, and goes on with it where a pilot was all that was wanted. */
export function inputOf({ input: { pilot_rows: _, ...input }, run_id }: RunPlan): Record<string, unknown> {
  return { ...input, run_id };
}

/** The ids of all runs in a bucket. */
async function runIds({ store, bucket }: RunPlace): Promise<string[]> {
  return Array.fromAsync(store.listFolders(runsUri(bucket)), (folder) => folder.split('/').at(-2) ?? '');
}
