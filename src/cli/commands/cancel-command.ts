import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { InvalidRunInputError, RunBusyError } from '../../core/errors.ts';
import { stoppedAdvice, workerOf } from '../../runs/run-lock.ts';
import { findRun, inputOf } from '../../runs/run-store.ts';
import { markCancelled } from '../../steps/run/cancellation.ts';
import { presenceOf } from '../../store/process-identity.ts';
import type { LocalRunResult } from '../../targets/embedded/run-locally.ts';
import { openRunFiles, type RunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { cancelDeployed, type DeployedFiles, isDeployed } from './deployed-run.ts';
import { followRun, reportRun } from './follow-run.ts';

/** Milliseconds between two looks at a run that another process brings to its end. */
const WORKER_POLL_MS = { local: 200, bedrock: 2_000, aws: 2_000 } as const;

interface CancelOptions extends TargetOptions {
  json?: boolean;
  now?: boolean;
}

/** `quarry cancel`: stops a run's jobs, harvests what they had done, and writes the summary. */
export function addCancelCommand(program: Command, context: CliContext): void {
  const command = program
    .command('cancel')
    .argument('<run>', 'the run’s id')
    .description('Stop a run: nothing more is sent, its jobs are stopped, what they had done is kept.')
    .option('--now', 'aws: stop the execution too, and harvest nothing yet')
    .option('--json', 'print the summary as JSON, and nothing else');
  addTargetOptions(command).action((runId: string, options: CancelOptions) =>
    cancel(runId, options, context),
  );
}

async function cancel(runId: string, options: CancelOptions, context: CliContext): Promise<void> {
  using files = openRunFiles(await chooseTarget(options, { runId }), options.dir);
  if (isDeployed(files)) return await cancelOnStack(runId, { files, options, context });
  if (options.now)
    throw new InvalidRunInputError('--now goes with --target aws: only an execution is stopped by it.');
  const { store } = files;
  const { layout, summary } = await findRun(files, runId);
  const report = { files, json: options.json };
  if (summary !== undefined) {
    context.err.write(`Run ${runId} has ended already: there is nothing to cancel.\n`);
    return await reportRun({ kind: 'finished', summary }, report, context);
  }
  await markCancelled(layout, store, new Date());
  const result = await bringToEnd(runId, files, context);
  if (result.kind === 'finished' && result.summary.status !== 'cancelled') {
    await store.delete(layout.cancellation);
    context.err.write(`Run ${runId} came to its end before it could be cancelled.\n`);
  }
  await reportRun(result, report, context);
}

async function cancelOnStack(
  runId: string,
  { files, options, context }: { files: DeployedFiles; options: CancelOptions; context: CliContext },
): Promise<void> {
  const result = await cancelDeployed(runId, { files, context, now: options.now === true });
  if (result.kind !== 'stopped') return reportRun(result, { files, json: options.json }, context);
  const { message } = result;
  const report = { run_id: runId, status: 'stopped', message };
  context.out.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : `${message}\n`);
}

/** Waits while another process is at work on the cancelled run, and does the work itself where there is none. */
async function bringToEnd(runId: string, files: RunFiles, context: CliContext): Promise<LocalRunResult> {
  const { store, target } = files;
  let isTold = false;
  for (;;) {
    const { layout, plan, summary } = await findRun(files, runId);
    const worker = await workerOf(layout, store);
    if (worker === undefined) {
      if (summary !== undefined) return { kind: 'finished', summary };
      const result = await followRun(inputOf(plan), { files, context });
      // Another process was quicker: it is at work now.
      if (result.kind !== 'failed' || result.error !== 'RunBusyError') return result;
    } else if ((await presenceOf(worker.process)) === 'stopped') {
      const { pid, host } = worker.process;
      throw new RunBusyError(
        `Process ${pid} on ${host} is at work on the run. ${stoppedAdvice(worker.process)} The run is cancelled all the same: whoever goes on with it sends nothing more.`,
      );
    } else if (!isTold) {
      const { pid, host } = worker.process;
      context.err.write(`Process ${pid} on ${host} is at work on the run; it stops and harvests its jobs.\n`);
      isTold = true;
    }
    await sleep(WORKER_POLL_MS[target.kind]);
  }
}
