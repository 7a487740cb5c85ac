import type { RunSummary } from '../../core/run/summary.ts';
import { findRun, readRun, type StoredRun } from '../../runs/run-store.ts';
import { readUnfinishedRun, type UnfinishedRun } from '../../runs/unfinished-run.ts';
import { readWaiting } from '../../steps/part/part-waiting.ts';
import { type DeployedRunStatus, readRunStatus } from '../../targets/aws/run-status.ts';
import { openJobLook } from '../../targets/job-look.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { openStack } from '../open-stack.ts';
import { outputPathsOf } from '../results/run-results.ts';
import { isOnStack } from './run-on-stack.ts';

/** Where a run stands. */
export type RunStatusReport =
  /** It has ended; the paths are those of its result files, or S3 URIs. */
  | { kind: 'ended'; summary: RunSummary; files: readonly string[] }
  /** It has not; `progress` is undefined until it has a plan, `onStack` is what only a stack tells. */
  | { kind: 'unfinished'; progress: UnfinishedRun | undefined; onStack: DeployedRunStatus | undefined };

/** Reads where a run stands; InvalidRunInputError where there is none of that id. */
export async function readStatus(runId: string, files: RunFiles): Promise<RunStatusReport> {
  const onStack = isOnStack(files) ? await statusOnStack(runId, files.target) : undefined;
  // Before Plan has ended there is an execution, and no run in the bucket.
  const run = onStack?.execution === undefined ? await findRun(files, runId) : await readRun(files, runId);
  if (run?.summary !== undefined) {
    return { kind: 'ended', summary: run.summary, files: outputPathsOf(run.summary, files.store) };
  }
  const progress = run && (await readProgress(run, files));
  return { kind: 'unfinished', progress, onStack };
}

/** Where it stands by its files, and by what is told of its jobs. */
async function readProgress(run: StoredRun, files: RunFiles): Promise<UnfinishedRun> {
  using look = await openJobLook(files);
  return await readUnfinishedRun(run, {
    store: files.store,
    jobsOf: look.jobsOf,
    jobsFault: look.fault,
    isPaid: files.target.kind !== 'local',
    waitingOf: (partId) => readWaiting(partId, run.layout, files.store),
  });
}

async function statusOnStack(
  runId: string,
  stack: Parameters<typeof openStack>[0],
): Promise<DeployedRunStatus> {
  await using target = await openStack(stack);
  return await readRunStatus(runId, target);
}
