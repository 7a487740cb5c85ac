import { RunBusyError } from '../../core/errors.ts';
import { runLayout, runUriOf } from '../../runs/run-layout.ts';
import { workerOf } from '../../runs/run-lock.ts';
import { findRun, inputOf } from '../../runs/run-store.ts';
import type { AwsRunTarget } from '../../runs/run-target.ts';
import type { RunLimits } from '../../steps/plan/run-identity.ts';
import type { Grants } from '../../steps/run/take-up.ts';
import { cancelRun, resumeRun } from '../../targets/aws/cancel-run.ts';
import type { DeployedTarget } from '../../targets/aws/deployed-target.ts';
import { type FollowOptions, type FollowResult, followRun } from '../../targets/aws/follow-execution.ts';
import { lastExecutions } from '../../targets/aws/run-status.ts';
import { type StartedRun, startRun } from '../../targets/aws/start-run.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { openStack } from '../options/open-stack.ts';
import { withStopSignals } from '../stop-signals.ts';
import { createProgressReporter } from '../views/progress-reporter.ts';
import { remember } from './follow-run.ts';

/** The files of a run on a stack. */
export type DeployedFiles = RunFiles & { target: AwsRunTarget };

/** True where the run is on a stack. */
export function isDeployed(files: RunFiles): files is DeployedFiles {
  return files.target.kind === 'aws';
}

/** What a command on a stack has. */
export interface DeployedOptions {
  files: DeployedFiles;
  context: CliContext;
}

const DETACHING = 'The run goes on on AWS; press Ctrl-C again to leave at once.';

/** Starts the run on the stack, or joins the execution that is at work on it, and follows it. */
export async function runDeployed(input: unknown, options: DeployedOptions): Promise<FollowResult> {
  await using target = await openStack(options.files.target);
  warn(target, options.context);
  await refuseOtherWorker(input, options.files);
  return followStarted(await startRun(input, target), target, options);
}

/** Goes on with a run of the stack. */
export async function resumeDeployed(
  runId: string,
  options: DeployedOptions & { changes: RunLimits; grants: Grants },
): Promise<FollowResult> {
  await using target = await openStack(options.files.target);
  warn(target, options.context);
  await refuseOtherWorker({ run_id: runId }, options.files);
  return followStarted(await resumeRun(runId, target, options), target, options);
}

/** Follows an execution that is at work already. */
export async function attachTo(
  { executionArn, runId }: { executionArn: string; runId: string },
  options: DeployedOptions,
): Promise<FollowResult> {
  await using target = await openStack(options.files.target);
  await remember(runId, options.files, options.context);
  return follow({ executionArn, runId }, target, options);
}

/** What became of the last execution of each run: `running`, or how it failed; what has succeeded has a summary. */
export async function executionStates(files: DeployedFiles): Promise<Map<string, string>> {
  await using target = await openStack(files.target);
  const executions = await lastExecutions(target);
  return new Map([...executions].map(([runId, { status }]) => [runId, status.toLowerCase()]));
}

/** Cancels a run of the stack; the execution brings it to its end, and where there is none one is started that does. */
export async function cancelDeployed(
  runId: string,
  options: DeployedOptions & { now: boolean },
): Promise<FollowResult | { kind: 'stopped'; message: string }> {
  const { files, context, now } = options;
  await using target = await openStack(files.target);
  const say = (text: string) => context.err.write(`${text}\n`);
  const result = await withProgress(options, (more) =>
    cancelRun(runId, {
      target,
      now,
      onExecution: ({ name }) =>
        say(`The execution ${name} is at work on the run; its jobs are stopped, and it harvests them.`),
      ...more,
    }),
  );
  switch (result.kind) {
    case 'ended':
      say(`Run ${runId} has ended already: there is nothing to cancel.`);
      return { kind: 'finished', summary: result.summary };
    case 'followed':
      if (result.result.kind === 'finished' && result.result.summary.status !== 'cancelled') {
        say(`Run ${runId} came to its end before it could be cancelled.`);
      }
      return result.result;
    case 'stopped':
      return {
        kind: 'stopped',
        message: `The execution ${result.executionName} and ${result.stoppedJobs.length} jobs of run ${runId} are stopped. What the jobs had done is not harvested yet: quarry cancel ${runId} does that, quarry resume ${runId} goes on.`,
      };
    case 'not_running': {
      say(`No execution is at work on run ${runId}: one is started that harvests what its jobs had done.`);
      const { plan } = await findRun(files, runId);
      return followStarted(await startRun(inputOf(plan), target), target, options);
    }
  }
}

async function followStarted(
  { executionArn, executionName, runId, joined }: StartedRun,
  target: DeployedTarget,
  options: DeployedOptions,
): Promise<FollowResult> {
  const { files, context } = options;
  if (runId !== undefined) await remember(runId, files, context);
  const { stackName, region } = target.deployment;
  const place = `of the stack "${stackName}" in ${region}`;
  context.err.write(
    joined
      ? `The execution ${executionName} ${place} is at work on the run already: following it.\n`
      : `Started the execution ${executionName} ${place}.\n`,
  );
  return follow({ executionArn, runId }, target, options);
}

async function follow(
  { executionArn, runId }: Pick<StartedRun, 'executionArn' | 'runId'>,
  target: DeployedTarget,
  options: DeployedOptions,
): Promise<FollowResult> {
  const { files, context } = options;
  let planned: string | undefined;
  const result = await withProgress(options, ({ onProgress, ...more }) =>
    followRun(executionArn, {
      target,
      ...more,
      onProgress: (progress) => {
        if (progress.kind === 'planned') planned = progress.plan.run_id;
        onProgress(progress);
      },
    }),
  );
  if (planned !== undefined) await remember(planned, files, context);
  switch (result.kind) {
    case 'finished':
      return result;
    case 'failed':
      // Without a plan there is nothing that could be resumed.
      return { ...result, runId: planned };
    case 'detached':
      return { ...result, runId: result.runId ?? runId };
  }
}

/** Shows progress on standard error, until Ctrl-C: then the run goes on unseen. */
async function withProgress<T>(
  { context }: DeployedOptions,
  work: (options: Required<Pick<FollowOptions, 'onProgress' | 'onNotice' | 'signal'>>) => Promise<T>,
): Promise<T> {
  const reporter = createProgressReporter(context.err);
  try {
    return await withStopSignals(
      context,
      (signal) =>
        work({
          onProgress: reporter.report,
          onNotice: (notice) => context.err.write(`${notice}\n`),
          signal,
        }),
      DETACHING,
    );
  } finally {
    reporter.stop();
  }
}

/** Says what is not as it should be, although runs can go on with it. */
function warn({ deployment }: DeployedTarget, { err }: CliContext): void {
  for (const { message, blocksStart } of deployment.problems) if (!blocksStart) err.write(`${message}\n`);
}

/** Throws where a process is at work on the run with this bucket and an engine of its own. */
async function refuseOtherWorker(input: unknown, { store, bucket }: RunFiles): Promise<void> {
  const { run_id: runId } = input as { run_id?: unknown };
  if (typeof runId !== 'string') return;
  const worker = await workerOf(runLayout(runUriOf(bucket, runId)), store);
  if (worker === undefined) return;
  const { pid, host } = worker.process;
  throw new RunBusyError(
    `Process ${pid} on ${host} is at work on run "${runId}" with --target bedrock. Wait until it has ended, or cancel it there.`,
  );
}
