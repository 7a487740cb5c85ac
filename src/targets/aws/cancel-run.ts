import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { callAws } from '../../bedrock/call-aws.ts';
import { ObjectNotFoundError, RunBusyError } from '../../core/errors.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { RunSummary } from '../../core/run/summary.ts';
import type { RunLimits } from '../../steps/plan/run-identity.ts';
import { isCancelled, markCancelled } from '../../steps/run/cancellation.ts';
import { type Grants, takeUp } from '../../steps/run/take-up.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import { layoutOf } from '../jobs-of-run.ts';
import type { DeployedTarget } from './deployed-target.ts';
import { type Execution, findExecutions, isOpen } from './executions.ts';
import { type FollowOptions, type FollowResult, followRun, stopJobs } from './follow-execution.ts';
import { type StartedRun, startRun } from './start-run.ts';

/** How a run is cancelled. */
export interface CancelOptions extends FollowOptions {
  /** Stops the execution too, instead of letting it collect what the jobs had done. */
  now?: boolean;
  /** Called with the execution that brings the cancelled run to its end. */
  onExecution?: (execution: Execution) => void;
}

/** What became of a run that was cancelled. */
export type CancelResult =
  /** It had ended before. */
  | { kind: 'ended'; summary: RunSummary }
  /** Its execution has collected, or nobody looks any more while it does. */
  | { kind: 'followed'; result: FollowResult }
  /** No execution is working on it: it is marked, its jobs are stopped, and nobody collects them yet. */
  | { kind: 'not_running'; stoppedJobs: string[] }
  /** Its execution and its jobs are stopped, and nobody collects them yet. */
  | { kind: 'stopped'; executionName: string; stoppedJobs: string[] };

/** Milliseconds in which a function that was at work may still have created a job. */
const LAST_JOBS_MS = 3_000;

/**
 * Cancels a run: nothing more is sent, its jobs are stopped, and its execution collects what they had done and writes
 * the summary. What nobody collects now is collected when the run is started again.
 */
export async function cancelRun(runId: string, options: CancelOptions): Promise<CancelResult> {
  const { target, now = false, onExecution = () => {} } = options;
  const { store, clock, deployment } = target;
  const layout = layoutOf(deployment.bucket, runId);
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (summary !== undefined) return { kind: 'ended', summary };
  const execution = (await findExecutions(runId, target)).find(isOpen);
  if (execution === undefined && (await readJsonIfPresent(store, layout.plan, RunPlan)) === undefined) {
    throw new ObjectNotFoundError(
      `There is no run "${runId}" on the stack "${deployment.stackName}" in ${deployment.region}.`,
    );
  }
  await markCancelled(layout, store, new Date(clock.now()));
  if (execution === undefined) return { kind: 'not_running', stoppedJobs: await stopJobsOf(runId, target) };
  if (now) {
    await stopExecution(execution, target);
    const stoppedJobs = await stopJobsOf(runId, target);
    await clock.sleep(LAST_JOBS_MS);
    stoppedJobs.push(...(await stopJobsOf(runId, target)));
    return { kind: 'stopped', executionName: execution.name, stoppedJobs: [...new Set(stoppedJobs)] };
  }
  onExecution(execution);
  await stopJobsOf(runId, target);
  const result = await followRun(execution.executionArn, { ...options, stopsJobs: true });
  // It ended before it could be cancelled.
  if (result.kind === 'finished' && result.summary.status !== 'cancelled') {
    await store.delete(layout.cancellation);
  }
  return { kind: 'followed', result };
}

/** Starts a run that has ended badly, or was cancelled, again where it stands; joins the execution at work on it. */
export async function resumeRun(
  runId: string,
  target: DeployedTarget,
  { changes = {}, grants = {} }: { changes?: RunLimits; grants?: Grants } = {},
): Promise<StartedRun> {
  const { store, deployment } = target;
  const layout = layoutOf(deployment.bucket, runId);
  const plan = await readJsonIfPresent(store, layout.plan, RunPlan);
  if (plan === undefined) {
    throw new ObjectNotFoundError(
      `There is no plan of a run "${runId}" on the stack "${deployment.stackName}" in ${deployment.region}. Start the run with its input instead: quarry run.`,
    );
  }
  const execution = (await findExecutions(runId, target)).find(isOpen);
  if (execution === undefined) await takeUp(layout, grants, store);
  else if (await isCancelled(layout, store)) {
    throw new RunBusyError(
      `Run "${runId}" is being cancelled: the execution ${execution.name} is collecting its jobs. Wait until it has ended, then resume the run.`,
    );
  }
  return startRun({ ...plan.input, ...changes, run_id: runId }, target);
}

async function stopExecution({ executionArn, name }: Execution, { sfn }: DeployedTarget): Promise<void> {
  await callAws({ doing: `stop the execution ${name}`, action: 'states:StopExecution' }, () =>
    sfn.send(new StopExecutionCommand({ executionArn, error: 'RunCancelled', cause: 'quarry cancel --now' })),
  );
}

async function stopJobsOf(runId: string, target: DeployedTarget): Promise<string[]> {
  const plan = await readJsonIfPresent(target.store, layoutOf(target.deployment.bucket, runId).plan, RunPlan);
  return plan === undefined ? [] : stopJobs(plan, target);
}
