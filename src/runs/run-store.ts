import { InvalidRunInputError } from '../core/errors.ts';
import { byLikeness } from '../core/nearest.ts';
import { RunPlan } from '../core/run-plan.ts';
import { RunSummary } from '../core/summary.ts';
import { readJsonIfPresent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type RunLayout, runLayout, runsUri, runUriOf } from './run-layout.ts';

/** Where runs are. */
interface RunPlace {
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

/** Every run in a bucket, the newest first. */
export async function listRuns({ store, bucket }: RunPlace): Promise<StoredRun[]> {
  const runs: StoredRun[] = [];
  for await (const { uri } of store.list(runsUri(bucket))) {
    const runId = /\/runs\/([^/]+)\/plan\.json$/.exec(uri)?.[1];
    if (runId === undefined) continue;
    const run = await readRun({ store, bucket }, runId);
    if (run !== undefined) runs.push(run);
  }
  return runs.sort((a, b) => b.plan.created_at.localeCompare(a.plan.created_at));
}

/** Where else a run may be. */
const ELSEWHERE =
  ' A run that was started from another machine or folder is found by its --dir, with --target bedrock and its --bucket, or with --target aws.';

/** The run of an id; InvalidRunInputError that lists the known ones, the nearest first. */
export async function findRun(place: RunPlace, runId: string): Promise<StoredRun> {
  const run = /^[a-zA-Z0-9-]+$/.test(runId) ? await readRun(place, runId) : undefined;
  if (run !== undefined) return run;
  const known = byLikeness(
    runId,
    (await listRuns(place)).map(({ plan }) => plan.run_id),
  );
  throw new InvalidRunInputError(
    known.length === 0
      ? `There is no run "${runId}": there are no runs here yet.${ELSEWHERE}`
      : `There is no run "${runId}". Runs here, the nearest first: ${known.slice(0, 5).join(', ')}.${ELSEWHERE}`,
  );
}

/** The run of an id; undefined where it has no plan. */
export async function readRun({ store, bucket }: RunPlace, runId: string): Promise<StoredRun | undefined> {
  const layout = runLayout(runUriOf(bucket, runId));
  const plan = await readJsonIfPresent(store, layout.plan, RunPlan);
  if (plan === undefined) return undefined;
  return { layout, plan, summary: await readJsonIfPresent(store, layout.summary, RunSummary) };
}

/** The run input that finds this run again. */
export function inputOf({ input, run_id }: RunPlan): Record<string, unknown> {
  return { ...input, run_id };
}
