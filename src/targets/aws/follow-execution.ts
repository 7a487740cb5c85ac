import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { AccessDeniedError, DamagedFileError, ObjectNotFoundError, QuarryError } from '../../core/errors.ts';
import { type JobStatus, outcomeOf } from '../../core/jobs/job.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import { RunSummary } from '../../core/run/summary.ts';
import { type RunFilesWatch, watchRunFiles } from '../../runs/run-files-watch.ts';
import { readWaiting } from '../../steps/part/part-waiting.ts';
import { readJson } from '../../store/json-object.ts';
import { jobsOfRun, layoutOf } from '../jobs-of-run.ts';
import type { DeployedTarget } from './deployed-target.ts';
import { faultOf } from './execution-fault.ts';
import { openHistory, planIn } from './execution-history.ts';
import { describeExecution, type ExecutionDetails, givenRunId, isOpen } from './executions.ts';

/** How an execution is followed. */
export interface FollowOptions {
  target: DeployedTarget;
  onProgress?: (progress: RunEvent) => void;
  /** Told once of everything that cannot be shown, and why. */
  onNotice?: (message: string) => void;
  /** Aborted when nobody looks any more: the execution goes on. */
  signal?: AbortSignal;
  /** Stops the run's jobs whenever one is seen that still runs: the run is cancelled. */
  stopsJobs?: boolean;
  /** Milliseconds between two looks while something happens. */
  pollMs?: number;
}

/** How following has ended. */
export type FollowResult =
  | { kind: 'finished'; summary: RunSummary }
  | { kind: 'failed'; error: string; message: string; runId: string | undefined }
  /** Nobody follows any more, and the execution goes on: for the fault, where there is one. */
  | { kind: 'detached'; runId: string | undefined; fault: QuarryError | undefined };

/** Milliseconds between two looks. */
const POLL_MS = 3_000;
/** Milliseconds between two looks at most, while nothing happens. */
const MAX_POLL_MS = 10_000;
/** Looks in a row that may fail: about a quarter of an hour. */
const MAX_FAILED_LOOKS = 20;
/** Milliseconds to wait at most after a look that failed. */
const MAX_BACKOFF_MS = 60_000;

/** Follows an execution until it has ended, or nobody looks any more. */
export async function followRun(executionArn: string, options: FollowOptions): Promise<FollowResult> {
  const { target, signal, pollMs = POLL_MS } = options;
  const { clock, random } = target;
  const follower = createFollower(executionArn, options);
  let failedLooks = 0;
  let waitMs = pollMs;
  for (;;) {
    try {
      const execution = await unlessAborted(clock.busy(follower.look), signal);
      failedLooks = 0;
      if (!isOpen(execution))
        return await unlessAborted(
          clock.busy(() => follower.end(execution)),
          signal,
        );
      waitMs = follower.hasMoved() ? pollMs : Math.min(MAX_POLL_MS, waitMs * 1.5);
    } catch (error) {
      if (signal?.aborted) return { kind: 'detached', runId: follower.runId(), fault: undefined };
      failedLooks += 1;
      const isPassing = error instanceof QuarryError && error.retryable && failedLooks < MAX_FAILED_LOOKS;
      if (!isPassing) {
        // What never worked is a mistake; what worked before is the world's, and the execution goes on in it.
        const isOfFiles = error instanceof ObjectNotFoundError || error instanceof DamagedFileError;
        if (!follower.isUnderWay() || !(error instanceof QuarryError) || isOfFiles) throw error;
        return { kind: 'detached', runId: follower.runId(), fault: error };
      }
      waitMs = Math.min(MAX_BACKOFF_MS, pollMs * 2 ** failedLooks) * (0.5 + random() / 2);
    }
    try {
      await clock.sleep(waitMs, signal);
    } catch {
      return { kind: 'detached', runId: follower.runId(), fault: undefined };
    }
  }
}

/** Rejects as soon as the signal is aborted; the work goes on unseen. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}

/** States before which all that the ones before them left has been told. */
const CLOSING_STATES = ['Dispatch', 'Merge', 'Summarize'];

function createFollower(executionArn: string, options: FollowOptions) {
  const { target, onProgress = () => {}, onNotice = () => {}, stopsJobs = false } = options;
  const { sfn, store, deployment } = target;
  const history = openHistory(sfn, executionArn, (message) => onProgress({ kind: 'notice', message }));
  let runId: string | undefined;
  let watch: RunFilesWatch | undefined;
  let moved = false;
  let isUnderWay = false;
  const report = (progress: RunEvent) => {
    moved = true;
    onProgress(progress);
  };
  /** Does without what may not be read: the execution itself says how it ends. */
  const ifAllowed = notingRefusals(onNotice);

  const beginToWatch = (id: string): void => {
    runId = id;
    watch ??= watchRunFiles({
      layout: layoutOf(deployment.bucket, id),
      store,
      jobsOf: (plan) => jobsOfRun(plan, { ...target, bucket: deployment.bucket }),
      waitingOf: (partId) => readWaiting(partId, layoutOf(deployment.bucket, id), store),
      isPaid: true,
      onProgress: report,
    });
  };
  const lookAtFiles = () => ifAllowed('What is prepared and collected', async () => watch?.lookAtFiles());

  const take = async (event: HistoryEvent): Promise<void> => {
    const planned = planIn(event);
    if (planned !== undefined) {
      beginToWatch(planned.run_id);
      await ifAllowed('The plan', async () => watch?.plan());
    }
    const state = event.stateEnteredEventDetails?.name;
    if (state === undefined) return;
    if (CLOSING_STATES.includes(state)) await lookAtFiles();
    report({ kind: 'state_entered', state });
  };

  return {
    runId: () => runId,
    hasMoved: () => moved,
    isUnderWay: () => isUnderWay,
    look: async (): Promise<ExecutionDetails> => {
      moved = false;
      const execution = await describeExecution(sfn, executionArn);
      isUnderWay = isOpen(execution);
      runId ??= givenRunId(execution.input);
      await ifAllowed('Jobs', async () => watch?.lookAtJobs());
      await ifAllowed('The phases', async () => {
        for (const event of await history.newEvents()) await take(event);
      });
      // Where the history may not be read, the input tells which run it is.
      if (watch === undefined && runId !== undefined && !ifAllowed.isAllowed('The phases'))
        beginToWatch(runId);
      await lookAtFiles();
      const plan = await watch?.plan();
      if (stopsJobs && plan !== undefined && isOpen(execution)) await stopJobs(plan, target);
      return execution;
    },
    end: async (execution: ExecutionDetails): Promise<FollowResult> => {
      if (execution.status !== 'SUCCEEDED') {
        return { kind: 'failed', ...(await faultOf(execution, sfn)), runId };
      }
      const { run_id: id = runId ?? '' } = JSON.parse(execution.output ?? '{}') as { run_id?: string };
      const summary = await readJson(store, layoutOf(deployment.bucket, id).summary, RunSummary);
      return { kind: 'finished', summary };
    },
  };
}

/** Carries out what is only shown; a refusal is told once, and the same is not tried again. Other faults are thrown. */
function notingRefusals(onNotice: (message: string) => void) {
  const refused = new Set<string>();
  const ifAllowed = async (what: string, look: () => Promise<unknown>): Promise<void> => {
    if (refused.has(what)) return;
    try {
      await look();
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      refused.add(what);
      onNotice(`${what} cannot be shown. ${error.message}`);
    }
  };
  return Object.assign(ifAllowed, { isAllowed: (what: string) => !refused.has(what) });
}

/** Stops every job of a run that still runs; the ARNs of those. */
export async function stopJobs(
  plan: Parameters<typeof jobsOfRun>[0],
  target: Pick<DeployedTarget, 'jobs' | 'hash' | 'deployment'>,
): Promise<string[]> {
  const stopped: string[] = [];
  const { bucket } = target.deployment;
  for await (const { jobArn, status } of jobsOfRun(plan, { ...target, bucket })) {
    if (!mayBeStopped(status)) continue;
    await target.jobs.stopJob(jobArn);
    stopped.push(jobArn);
  }
  return stopped;
}

function mayBeStopped(status: JobStatus): boolean {
  return status !== 'Stopping' && outcomeOf(status).kind === 'running';
}
