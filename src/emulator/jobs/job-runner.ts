import type { EmulatorContext } from '../emulator-context.ts';
import { MissingKeyError } from '../models/model-servers.ts';
import { ModelServerDownError } from './answer-chunk.ts';
import { planProgress, recordsThrough } from './job-progress.ts';
import { failWithOutput, type JobLife, runStage, StageLeftError } from './job-stages.ts';
import { isTerminal, type StoredJob } from './stored-job.ts';

/** Carries jobs through their life, from whatever status they are in. */
export interface JobRunner {
  /** Takes a job on, unless it is under way. */
  start(job: StoredJob): void;
  /** Tells a job that is not at its end to stop; its status is Stopping at once. */
  stop(job: StoredJob): Promise<void>;
  /** Leaves every job as it is, and resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Milliseconds before each further try of a stage that this machine did not let pass: eight seconds in all. */
const RETRY_DELAYS_MS = [250, 500, 1000, 2000, 4000];

interface RunningJobs {
  context: EmulatorContext;
  closing: AbortController;
  lives: Map<string, { life: JobLife; stage: AbortController; ended: Promise<void> }>;
  /** Called when a job ends. */
  waiting: (() => void)[];
}

/** A runner without jobs. */
export function createJobRunner(context: EmulatorContext): JobRunner {
  const running: RunningJobs = { context, closing: new AbortController(), lives: new Map(), waiting: [] };
  return {
    start: (job) => start(running, job),
    stop: (job) => stop(running, job),
    close: async () => {
      running.closing.abort(new StageLeftError());
      await Promise.allSettled([...running.lives.values()].map(({ ended }) => ended));
    },
  };
}

function start(running: RunningJobs, job: StoredJob): void {
  if (running.lives.has(job.jobId) || isTerminal(job.status)) return;
  // Of a clock that was set back meanwhile: nobody waits until it is where it was.
  const nowMs = running.context.clock.now();
  job.submitTimeMs = Math.min(job.submitTimeMs, nowMs);
  job.stageSinceMs = Math.min(job.stageSinceMs, nowMs);
  const life: JobLife = {
    job,
    context: running.context,
    signal: running.closing.signal,
    work: undefined,
    waitedFor: undefined,
    onEnded: () => {
      for (const wake of running.waiting.splice(0)) wake();
    },
    nextEnd: () => new Promise((resolve) => running.waiting.push(resolve)),
  };
  const entry = { life, stage: new AbortController(), ended: Promise.resolve() };
  running.lives.set(job.jobId, entry);
  entry.ended = live(running, entry).finally(() => running.lives.delete(job.jobId));
}

async function stop({ context, lives }: RunningJobs, job: StoredJob): Promise<void> {
  const nowMs = context.clock.now();
  if (job.status === 'InProgress')
    job.stoppedAtRecord = recordsThrough(job, planProgress(job, context), nowMs);
  job.status = 'Stopping';
  job.stageSinceMs = nowMs;
  job.lastModifiedMs = nowMs;
  lives.get(job.jobId)?.stage.abort(new StageLeftError());
  await context.book.save(job);
}

/** One stage after the other. Never rejects: a job that cannot go on is left, with all that it has, for the next emulator. */
async function live(
  { closing, context }: RunningJobs,
  entry: { life: JobLife; stage: AbortController },
): Promise<void> {
  const { life } = entry;
  const { job } = life;
  let failures = 0;
  while (!isTerminal(job.status)) {
    const { status } = job;
    const position = life.work?.position();
    entry.stage = new AbortController();
    life.signal = AbortSignal.any([entry.stage.signal, closing.signal]);
    try {
      await runStage(life);
      failures = 0;
    } catch (error) {
      if (closing.signal.aborted) break;
      if (job.status !== status) continue;
      if (life.work?.position() !== position) failures = 0;
      // A wait that is broken off is that of a job that was stopped meanwhile.
      const goesOn = await overcome(life, error as Error, failures).catch(() => job.status !== status);
      if (!goesOn) break;
      failures += 1;
    }
  }
  // Answers that were paid for, and that nobody waited for to the end.
  if (closing.signal.aborted) await context.clock.busy(() => keepAnswered(life));
}

/** Waits for a fault of this machine to pass, or fails the job with what it has; false where neither can be done. */
async function overcome(life: JobLife, error: Error, failures: number): Promise<boolean> {
  const { job, context, signal } = life;
  const delayMs = RETRY_DELAYS_MS[failures];
  if (delayMs === undefined || !isOwnFault(error)) {
    try {
      await failWithOutput(life, reasonOf(error));
      return true;
    } catch (again) {
      if (delayMs === undefined) {
        tellHalt(life, again as Error);
        return false;
      }
    }
  }
  const { message } = error;
  if (life.waitedFor !== message) {
    life.waitedFor = message;
    context.notify({ kind: 'job-waits', message: `The job "${job.jobName}" waits: ${message}` });
  }
  await context.clock.sleep(delayMs, signal);
  return true;
}

function tellHalt({ job, work, context }: JobLife, error: Error): void {
  context.notify({
    kind: 'job-halted',
    message: `The emulator cannot continue the job "${job.jobName}": ${error.message}. It keeps the ${work?.position() ?? 0} records that are done, and continues with the rest once that is fixed and it is started again.`,
    cause: error,
  });
}

function reasonOf(error: Error): string {
  return error instanceof ModelServerDownError
    ? error.message
    : `Internal error of the emulator: ${error.message}`;
}

/** True for what has nothing to do with the job: a full disk, no more open files, a key that this process lacks. */
function isOwnFault(error: Error): boolean {
  if (error instanceof MissingKeyError) return true;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall !== undefined && /^E[A-Z]+$/.test(code ?? '')) return true;
  }
  return false;
}

async function keepAnswered({ work }: JobLife): Promise<void> {
  // What cannot be written now is asked for again: there is nobody left who could wait.
  await work?.keepAnswered().catch(() => {});
}
