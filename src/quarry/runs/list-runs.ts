import pLimit from 'p-limit';
import { listKnownRuns } from '../../runs/known-runs.ts';
import { listRuns, type RunCondition, standingOf } from '../../runs/run-store.ts';
import { placeOf } from '../../runs/run-target.ts';
import { lastExecutions } from '../../targets/aws/run-status.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { openStack } from '../open-stack.ts';
import { isOnStack, type StackFiles } from './run-on-stack.ts';

/** Runs that are looked at at once. */
const CONCURRENT_RUNS = 16;

/** Of a run that was not read. */
const UNKNOWN = { rows: null, answered: null, model: null, started: null };

/** A run in a list; null is what is not known without asking where the run is. */
export interface ListedRun {
  run_id: string;
  /** `local`, or the bucket; empty where the word of it is damaged. */
  at: string;
  status: RunCondition | 'damaged' | null;
  rows: number | null;
  answered: number | null;
  model: string | null;
  started: string | null;
  /** Of a run that cannot be read: which file is damaged, and what to do. */
  fault?: string;
}

/** The runs of a place, the newest first, and then those of other places that this machine remembers. */
export async function listAllRuns(
  files: RunFiles,
  { elsewhere }: { elsewhere: boolean },
): Promise<{ at: string; runs: ListedRun[] }> {
  const at = placeOf(files.target);
  const executions = isOnStack(files) ? await executionStates(files) : new Map<string, string>();
  const { runs, damaged } = await listRuns(files);
  const stored = await pLimit(CONCURRENT_RUNS).map(runs, async ({ layout, plan, summary }) => ({
    run_id: plan.run_id,
    at,
    status:
      conditionOnStack(summary === undefined ? executions.get(plan.run_id) : undefined) ??
      (await standingOf({ layout, summary }, files.store)).condition,
    rows: plan.selected_rows,
    answered: summary?.rows.succeeded ?? null,
    model: plan.variants[0].model.model_id,
    started: plan.created_at,
  }));
  const known = elsewhere ? await listKnownRuns(files.dir) : { runs: [], damaged: [] };
  const others = known.runs
    .map(({ run_id, target }) => ({ run_id, at: placeOf(target) }))
    .filter((run) => run.at !== at)
    .map((run) => ({ ...run, ...UNKNOWN, status: null }));
  const forgotten = known.damaged.filter(({ run_id }) => !runs.some(({ plan }) => plan.run_id === run_id));
  const unreadable = [
    ...damaged.map((run) => ({ ...run, at })),
    // Where it is was in the file.
    ...forgotten.map((run) => ({ ...run, at: '' })),
  ].map(({ run_id, fault, at: place }) => ({
    run_id,
    at: place,
    ...UNKNOWN,
    status: 'damaged' as const,
    fault: fault.message,
  }));
  return { at, runs: [...stored, ...unreadable, ...others] };
}

/** What became of the last execution of each run: `running`, or how it failed; what has succeeded has a summary. */
async function executionStates(files: StackFiles): Promise<Map<string, string>> {
  await using target = await openStack(files.target);
  const executions = await lastExecutions(target);
  return new Map([...executions].map(([runId, { status }]) => [runId, status.toLowerCase()]));
}

/** What a run is, by the status of its last execution; undefined where its files say more. */
function conditionOnStack(status: string | undefined): RunCondition | undefined {
  switch (status) {
    case 'running':
    case 'failed':
      return status;
    case 'timed_out':
      return 'failed';
    default:
      return undefined;
  }
}
