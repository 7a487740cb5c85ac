import { type QuarryError, RunBusyError } from '../../core/errors.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { runLayout, runUriOf } from '../../runs/run-layout.ts';
import { workerOf } from '../../runs/run-lock.ts';
import type { AwsRunTarget } from '../../runs/run-target.ts';
import type { RunLimits } from '../../steps/plan/run-identity.ts';
import type { Grants } from '../../steps/run/take-up.ts';
import { resumeRun } from '../../targets/aws/cancel-run.ts';
import type { DeployedTarget } from '../../targets/aws/deployed-target.ts';
import type { Execution } from '../../targets/aws/executions.ts';
import { type FollowResult, followRun } from '../../targets/aws/follow-execution.ts';
import { type StartedRun, type StartOptions, startRun } from '../../targets/aws/start-run.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { openStack } from '../open-stack.ts';
import type { Tell } from '../quarry-event.ts';
import { aboutRun, namedError, RunDetachedError } from './run-errors.ts';
import { remember } from './run-here.ts';
import type { RunWorkOptions } from './run-work.ts';

/** The files of a run on a stack. */
export type StackFiles = RunFiles & { target: AwsRunTarget };

/** True where the run is on a stack. */
export function isOnStack(files: RunFiles): files is StackFiles {
  return files.target.kind === 'aws';
}

/** What work on a stack's run has. */
export type StackOptions = RunWorkOptions & { files: StackFiles } & Pick<StartOptions, 'onNamed'>;

/** Starts the run on the stack, or joins the execution that is working on it, and follows it. */
export async function runOnStack(
  input: unknown,
  { notes, ...options }: StackOptions & { notes: readonly string[] },
): Promise<RunSummary> {
  await using target = await openStack(options.files.target);
  warn(target, options.tell);
  await refuseOtherWorker(input, options);
  // The plan is made elsewhere, where nothing is known of this machine's folder.
  for (const message of notes) options.tell({ kind: 'notice', message });
  return await followStarted(await startRun(input, target, options), target, options);
}

/** Goes on with a run of the stack. */
export async function resumeOnStack(
  runId: string,
  options: StackOptions & { changes: RunLimits; grants: Grants },
): Promise<RunSummary> {
  await using target = await openStack(options.files.target);
  warn(target, options.tell);
  await refuseOtherWorker({ run_id: runId }, options);
  return await followStarted(await resumeRun(runId, target, options), target, options);
}

/** Follows an execution that is at work already. */
export async function attachOnStack(
  { executionArn, name, runId }: Pick<Execution, 'executionArn' | 'name'> & { runId: string },
  options: StackOptions,
): Promise<RunSummary> {
  await using target = await openStack(options.files.target);
  await remember(runId, options);
  tellExecution({ executionArn, name }, target, { tell: options.tell, how: 'followed' });
  return await follow({ executionArn, runId }, target, options);
}

/** Tells which execution is at work. */
export function tellExecution(
  { executionArn, name: executionName }: Pick<Execution, 'executionArn' | 'name'>,
  { deployment: { stackName, region } }: DeployedTarget,
  { tell, how }: { tell: Tell; how: 'started' | 'joined' | 'followed' },
): void {
  tell({ kind: 'execution', executionArn, executionName, stackName, region, how });
}

/** Follows what was started or joined, and tells of it first. */
export async function followStarted(
  started: StartedRun,
  target: DeployedTarget,
  options: StackOptions,
): Promise<RunSummary> {
  const { executionArn, executionName, runId, joined } = started;
  if (runId !== undefined) await remember(runId, options);
  tellExecution({ executionArn, name: executionName }, target, {
    tell: options.tell,
    how: joined ? 'joined' : 'started',
  });
  return follow(started, target, options);
}

async function follow(
  { executionArn, runId }: Pick<StartedRun, 'executionArn' | 'runId'>,
  target: DeployedTarget,
  options: StackOptions,
): Promise<RunSummary> {
  const { tell, signal } = options;
  let planned: string | undefined;
  const result = await followRun(executionArn, {
    target,
    signal,
    onNotice: (message) => tell({ kind: 'notice', message }),
    onProgress: (event) => {
      if (event.kind === 'planned') planned = event.plan.run_id;
      tell(event);
    },
  });
  if (planned !== undefined) {
    await remember(planned, options);
    // What is wrong with the place by now is said when the results are put there.
    if (runId === undefined) await options.onNamed?.(planned).catch(() => {});
  }
  // Without a plan there is nothing that could be resumed.
  const known = result.kind === 'failed' ? planned : (planned ?? runId);
  return summaryOf(result, { runId: known, reason: signal.reason });
}

/** The summary of a run that has ended well; throws otherwise. */
export function summaryOf(
  result: FollowResult,
  { runId, reason }: { runId: string | undefined; reason: unknown },
): RunSummary {
  switch (result.kind) {
    case 'finished':
      return result.summary;
    case 'failed':
      throw aboutRun(namedError(result.error, result.message), runId);
    case 'detached':
      throw detachedError(result.runId ?? runId, result.fault, reason);
  }
}

function detachedError(
  runId: string | undefined,
  fault: QuarryError | undefined,
  reason: unknown,
): RunDetachedError {
  const why = fault === undefined ? '' : `${fault.message} `;
  const which = runId === undefined ? 'the run' : `run "${runId}"`;
  return aboutRun(
    new RunDetachedError(`${why}${which} is no longer followed from here; it continues on AWS.`, {
      cause: fault ?? reason,
      fault,
    }),
    runId,
  );
}

/** Says what is not as it should be, although runs can go on with it. */
function warn({ deployment }: DeployedTarget, tell: Tell): void {
  for (const { message, blocksStart } of deployment.problems) {
    if (!blocksStart) tell({ kind: 'notice', message });
  }
}

/** Throws where a process is working on the run with this bucket and an engine of its own. */
async function refuseOtherWorker(
  input: unknown,
  { files: { store, bucket }, spell }: StackOptions,
): Promise<void> {
  const { run_id: runId } = input as { run_id?: unknown };
  if (typeof runId !== 'string') return;
  const worker = await workerOf(runLayout(runUriOf(bucket, runId)), store);
  if (worker === undefined) return;
  const { pid, host } = worker.process;
  throw new RunBusyError(
    `Process ${pid} on ${host} is working on run "${runId}" with ${spell('target', 'bedrock')}. Wait until it has ended, or cancel it there.`,
  );
}
