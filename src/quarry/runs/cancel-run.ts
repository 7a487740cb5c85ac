import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidRunInputError, RunBusyError } from '../../core/errors.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { stoppedAdvice, workerOf } from '../../runs/run-lock.ts';
import { findRun, inputOf } from '../../runs/run-store.ts';
import { markCancelled } from '../../steps/run/cancellation.ts';
import { presenceOf } from '../../store/process-identity.ts';
import { cancelRun } from '../../targets/aws/cancel-run.ts';
import { startRun } from '../../targets/aws/start-run.ts';
import { openStack } from '../open-stack.ts';
import { runIdOf } from './run-errors.ts';
import { runHere, stoppedError } from './run-here.ts';
import { followStarted, isOnStack, type StackOptions, summaryOf, tellExecution } from './run-on-stack.ts';
import type { RunWorkOptions } from './run-work.ts';

/** What became of a run that was to be cancelled. */
export type CancelledRun =
  /** Its jobs are stopped, what they had done is kept, and it has its summary. */
  | { kind: 'cancelled'; summary: RunSummary }
  /** It had ended before, or ended before it could be cancelled. */
  | { kind: 'ended'; summary: RunSummary }
  /** aws, `now`: the execution and the jobs are stopped, and nobody has collected them yet. */
  | { kind: 'stopped'; executionName: string; stoppedJobs: readonly string[] };

/** Milliseconds between two looks at a run that another process brings to its end. */
const WORKER_POLL_MS = { local: 200, bedrock: 2_000, aws: 2_000 } as const;

/** Cancels a run, and brings it to its end. */
export async function cancel(
  runId: string,
  { now, ...options }: RunWorkOptions & { now: boolean },
): Promise<CancelledRun> {
  const { files, tell, spell } = options;
  if (isOnStack(files)) return cancelOnStack(runId, { ...options, files, now });
  if (now) {
    throw new InvalidRunInputError(`${spell('now')} needs ${spell('target', 'aws')}: it stops an execution.`);
  }
  const { store } = files;
  const { layout, summary } = await findRun(files, runId);
  if (summary !== undefined) {
    tell({ kind: 'notice', message: `Run ${runId} has ended already: there is nothing to cancel.` });
    return { kind: 'ended', summary };
  }
  await markCancelled(layout, store, new Date());
  const end = await bringToEnd(runId, options);
  if (end.status === 'cancelled') return { kind: 'cancelled', summary: end };
  await store.delete(layout.cancellation);
  tell({ kind: 'notice', message: `Run ${runId} ended before it could be cancelled.` });
  return { kind: 'ended', summary: end };
}

/** The execution brings the run to its end, and where there is none one is started that does. */
async function cancelOnStack(runId: string, options: StackOptions & { now: boolean }): Promise<CancelledRun> {
  const { files, tell, signal, now } = options;
  const say = (message: string) => tell({ kind: 'notice', message });
  await using target = await openStack(files.target);
  const result = await cancelRun(runId, {
    target,
    now,
    signal,
    onProgress: tell,
    onNotice: say,
    onExecution: (execution) => {
      tellExecution(execution, target, { tell, how: 'followed' });
      say(
        `The execution ${execution.name} is working on the run; its jobs are stopped, and it collects what they had done.`,
      );
    },
  });
  switch (result.kind) {
    case 'ended':
      say(`Run ${runId} has ended already: there is nothing to cancel.`);
      return { kind: 'ended', summary: result.summary };
    case 'followed': {
      const summary = summaryOf(result.result, { runId, reason: signal.reason });
      if (summary.status === 'cancelled') return { kind: 'cancelled', summary };
      say(`Run ${runId} ended before it could be cancelled.`);
      return { kind: 'ended', summary };
    }
    case 'stopped':
      return result;
    case 'not_running': {
      say(`No execution is working on run ${runId}: one is started that collects what its jobs had done.`);
      const { plan } = await findRun(files, runId);
      const summary = await followStarted(await startRun(inputOf(plan), target), target, options);
      return { kind: summary.status === 'cancelled' ? 'cancelled' : 'ended', summary };
    }
  }
}

/** Waits while another process is working on the cancelled run, and does the work itself where there is none. */
async function bringToEnd(runId: string, options: RunWorkOptions): Promise<RunSummary> {
  const { files, tell, signal } = options;
  const { store, target } = files;
  let isTold = false;
  for (;;) {
    const { layout, plan, summary } = await findRun(files, runId);
    const worker = await workerOf(layout, store);
    if (worker === undefined) {
      if (summary !== undefined) return summary;
      try {
        return await runHere(inputOf(plan), options);
      } catch (error) {
        // Another process was quicker: it is at work now.
        if ((error as Error).name !== 'RunBusyError' || runIdOf(error) === undefined) throw error;
      }
    } else if ((await presenceOf(worker.process)) === 'stopped') {
      const { pid, host } = worker.process;
      throw new RunBusyError(
        `Process ${pid} on ${host} is working on the run. ${stoppedAdvice(worker.process)} The run is cancelled all the same: whoever continues it sends nothing more.`,
      );
    } else if (!isTold) {
      const { pid, host } = worker.process;
      tell({
        kind: 'notice',
        message: `Process ${pid} on ${host} is working on the run; it stops, and collects what its jobs had done.`,
      });
      isTold = true;
    }
    await sleep(WORKER_POLL_MS[target.kind], undefined, { signal }).catch((error: Error) => {
      throw stoppedError(runId, error.cause);
    });
  }
}
