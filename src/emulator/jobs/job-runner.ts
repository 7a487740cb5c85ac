import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorContext } from '../emulator-context.ts';
import type { JobFault } from '../faults/faults.ts';
import { findEmulatedModel } from '../models/model-catalog.ts';
import { cannotGetObject, type ScannedFile, scanInput } from './input-scan.ts';
import { type JobWork, openJobWork } from './job-work.ts';
import { quotasOf } from './quotas.ts';
import { deadlineOf, type EmulatedStatus, isTerminal, type StoredJob } from './stored-job.ts';

/** Carries jobs through their life, from whatever status they are in. */
export interface JobRunner {
  /** Takes a job on. */
  start(job: StoredJob): void;
  /** Tells a job that is not at its end to stop; its status is Stopping at once. */
  stop(job: StoredJob): Promise<void>;
  /** Leaves every job as it is, and resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Thrown inside a stage whose job went on to another status meanwhile. */
class StageLeftError extends Error {}

const MAX_WINDOW_RECORDS = 256;
/** A model server is slow, and a crash shall cost few of its answers. */
const MAX_WINDOW_RECORDS_WITH_ENDPOINT = 64;

/** A runner without jobs. */
export function createJobRunner(context: EmulatorContext): JobRunner {
  const { clock, store, durations, staging, faults, book } = context;
  const closing = new AbortController();
  const stages = new Map<string, AbortController>();
  const lives = new Map<string, Promise<unknown>>();
  const queue = createQueue();

  const sleepUntil = async (timeMs: number, signal: AbortSignal) => {
    const restMs = timeMs - clock.now();
    if (restMs > 0) await clock.sleep(restMs, signal);
    signal.throwIfAborted();
  };

  /** Goes on to the next status, unless somebody stopped the job meanwhile. */
  const enter = async (job: StoredJob, from: EmulatedStatus, to: EmulatedStatus, message?: string) => {
    if (job.status !== from) throw new StageLeftError();
    job.status = to;
    if (message !== undefined) job.message = message.slice(0, 2048);
    job.stageSinceMs = clock.now();
    job.lastModifiedMs = job.stageSinceMs;
    if (isTerminal(to)) job.endTimeMs = job.stageSinceMs;
    await clock.busy(() => book.save(job));
    if (isTerminal(to)) {
      await clock.busy(() => rm(workDirectoryOf(job), { recursive: true, force: true }));
      queue.changed();
    }
  };

  /** Sits out a stage before InProgress: to its end, or to the job's expiry, or to a scripted end. */
  const passStage = async (job: StoredJob, stageMs: number, signal: AbortSignal) => {
    const stage = job.status;
    const endMs = job.stageSinceMs + stageMs + extraMsOf(job, stage);
    await sleepUntil(Math.min(endMs, deadlineOf(job)), signal);
    if (endMs > deadlineOf(job)) await expire(job, stage);
    const ending = faults.jobFaults(job, 'job-ended').find((fault) => fault.stage === stage);
    if (ending !== undefined) {
      await enter(job, stage, ending.status, ending.message);
      throw new StageLeftError();
    }
  };
  const expire = async (job: StoredJob, stage: EmulatedStatus) => {
    await enter(job, stage, 'Expired', 'The job timed out before it began.');
    throw new StageLeftError();
  };
  const extraMsOf = (job: StoredJob, stage: EmulatedStatus) =>
    faults
      .jobFaults(job, 'slow-stage')
      .filter((fault) => fault.stage === stage)
      .reduce((sum, fault) => sum + fault.extraMs, 0);

  const scan = (job: StoredJob, signal: AbortSignal) => {
    const model = findEmulatedModel(job.modelId, context.account);
    return context.inTurn(() =>
      scanInput({
        store,
        inputUri: job.inputDataConfig.s3InputDataConfig.s3Uri,
        quotas: quotasOf(model.baseId, context.quotas),
        maxWindowRecords: context.answerer.isSimulated
          ? MAX_WINDOW_RECORDS
          : MAX_WINDOW_RECORDS_WITH_ENDPOINT,
        signal,
      }),
    );
  };

  const validate = async (job: StoredJob, signal: AbortSignal) => {
    const [, result] = await both(
      passStage(job, durations.validatingMs, signal),
      clock.busy(() => scan(job, signal)),
    );
    const scripted = scriptedValidation(job);
    if (scripted !== undefined) await enter(job, 'Validating', 'Failed', scripted);
    else if (result.kind === 'invalid') await enter(job, 'Validating', 'Failed', result.message);
    else {
      job.totalRecords = result.records;
      await enter(job, 'Validating', 'Scheduled');
    }
  };
  const scriptedValidation = (job: StoredJob): string | undefined => {
    const [failed] = faults.jobFaults(job, 'validation-failed');
    if (failed !== undefined) return failed.message;
    const [denied] = faults.jobFaults(job, 'kms-denied');
    if (denied === undefined) return undefined;
    const { s3Uri } =
      denied.operation === 'GetObject'
        ? job.inputDataConfig.s3InputDataConfig
        : job.outputDataConfig.s3OutputDataConfig;
    return cannotGetObject(s3Uri).replace('GetObject', denied.operation);
  };

  /** In the mode `queue`, waits for a place among the running jobs of the model: first come, first served. */
  const waitForPlace = async (job: StoredJob, signal: AbortSignal) => {
    if (context.overQuota !== 'queue') return;
    const { baseId } = findEmulatedModel(job.modelId, context.account);
    const { maxConcurrentJobs } = quotasOf(baseId, context.quotas);
    const isMine = (other: StoredJob) => findEmulatedModel(other.modelId, context.account).baseId === baseId;
    const isFree = () => {
      const others = book.all().filter((other) => other !== job && isMine(other));
      const running = others.filter(({ status }) => status === 'InProgress' || status === 'Stopping').length;
      const before = others.filter(
        (other) => other.status === 'Scheduled' && other.ordinal < job.ordinal,
      ).length;
      return running + before < maxConcurrentJobs;
    };
    while (!isFree()) {
      await queue.nextChange((changed) => {
        const timer = new AbortController();
        const stop = AbortSignal.any([timer.signal, signal]);
        return Promise.race([changed, sleepUntil(deadlineOf(job), stop)]).finally(() => timer.abort());
      });
      signal.throwIfAborted();
      if (clock.now() >= deadlineOf(job)) await expire(job, 'Scheduled');
    }
  };

  const openWork = async (job: StoredJob, signal: AbortSignal): Promise<JobWork> => {
    const result = await scan(job, signal);
    const files: ScannedFile[] = result.kind === 'valid' ? result.files : [];
    if (result.kind === 'invalid') await enter(job, job.status, 'Failed', result.message);
    return openJobWork(job, files, {
      store,
      directory: workDirectoryOf(job),
      answersPath: context.trackRecords
        ? join(context.stateDirectory, 'answers', `${job.jobId}.txt`)
        : undefined,
      answerer: context.answerer,
      faults,
      model: findEmulatedModel(job.modelId, context.account),
      seed: context.seed,
    });
  };

  const publish = async (job: StoredJob, work: JobWork, isFinal: boolean) => {
    await work.publish(isFinal);
    job.counts = work.counts();
    job.isBilled = true;
    job.lastModifiedMs = clock.now();
    await book.save(job);
  };

  const process = async (job: StoredJob, signal: AbortSignal) => {
    const work = await clock.busy(() => openWork(job, signal));
    if (job.status !== 'InProgress') throw new StageLeftError();
    const plan = planProgress(job);
    for (const step of plan.steps) {
      if (step.records < work.position()) continue;
      await both(
        sleepUntil(step.atMs, signal),
        clock.busy(() => context.inTurn(() => work.advanceTo(step.records, signal))),
      );
      if (job.status !== 'InProgress') throw new StageLeftError();
      const isFinal = step === plan.steps.at(-1);
      if (!isFinal || plan.keepsOutput) await clock.busy(() => publish(job, work, isFinal));
    }
    await enter(job, 'InProgress', plan.status, plan.message);
  };

  /** When how many records are through, and how it ends. */
  const planProgress = (job: StoredJob): ProgressPlan => {
    const total = job.totalRecords ?? 0;
    const sinceMs = job.stageSinceMs;
    const durationMs =
      durations.inProgressMs + total * durations.inProgressMsPerRecord + extraMsOf(job, 'InProgress');
    const end = endOf(job, durationMs);
    const stepAt = (fraction: number) => ({
      atMs: sinceMs + durationMs * fraction,
      records: Math.floor(total * fraction),
    });
    const versions = end.keepsOutput && durationMs >= staging.minDurationMs ? staging.versions : 0;
    const steps = Array.from({ length: versions }, (_, index) =>
      stepAt((end.fraction * (index + 1)) / (versions + 1)),
    );
    return { ...end, steps: [...steps, stepAt(end.fraction)] };
  };
  const endOf = (job: StoredJob, durationMs: number): ProgressEnd => {
    const scripted = faults.jobFaults(job, 'job-ended').find((fault) => fault.stage === 'InProgress');
    if (scripted !== undefined) return toProgressEnd(scripted);
    const leftMs = deadlineOf(job) - job.stageSinceMs;
    return durationMs > leftMs
      ? { fraction: leftMs / durationMs, status: 'PartiallyCompleted', keepsOutput: true, message: undefined }
      : { fraction: 1, status: 'Completed', keepsOutput: true, message: undefined };
  };

  const finishStop = async (job: StoredJob, signal: AbortSignal) => {
    const stopped = job.stoppedAtRecord;
    const conclude = async () => {
      if (stopped === undefined) return;
      const work = await openWork(job, signal);
      if (job.status !== 'Stopping') throw new StageLeftError();
      // The simulated model works ahead of the clock; a real one's answers exist, and are kept.
      if (context.answerer.isSimulated) {
        if (work.position() > stopped) await work.restart();
        await context.inTurn(() => work.advanceTo(stopped, signal));
      }
      await publish(job, work, true);
    };
    await both(
      sleepUntil(job.stageSinceMs + durations.stoppingMs + extraMsOf(job, 'Stopping'), signal),
      clock.busy(conclude),
    );
    await enter(job, 'Stopping', 'Stopped');
  };

  const runStage = async (job: StoredJob, signal: AbortSignal): Promise<void> => {
    switch (job.status) {
      case 'Submitted':
        await passStage(job, durations.submittedMs, signal);
        return enter(job, 'Submitted', 'Validating');
      case 'Validating':
        return validate(job, signal);
      case 'Scheduled':
        await passStage(job, durations.scheduledMs, signal);
        await waitForPlace(job, signal);
        return enter(job, 'Scheduled', 'InProgress');
      case 'InProgress':
        return process(job, signal);
      case 'Stopping':
        return finishStop(job, signal);
      case 'Completed':
      case 'PartiallyCompleted':
      case 'Failed':
      case 'Stopped':
      case 'Expired':
        return;
    }
  };

  const live = async (job: StoredJob) => {
    while (!isTerminal(job.status)) {
      const stage = new AbortController();
      stages.set(job.jobId, stage);
      const status = job.status;
      try {
        await runStage(job, AbortSignal.any([stage.signal, closing.signal]));
      } catch (error) {
        if (closing.signal.aborted) return;
        if (job.status !== status) continue;
        const reason = error instanceof Error ? error.message : String(error);
        await enter(job, status, 'Failed', `Internal error of the emulator: ${reason}`);
      }
    }
    stages.delete(job.jobId);
    lives.delete(job.jobId);
  };

  const workDirectoryOf = (job: StoredJob) => join(context.stateDirectory, 'work', job.jobId);

  return {
    start: (job) => {
      // Rejects only where the state directory cannot be written: the next emulator goes on from what is there.
      const life = live(job).catch(() => stages.delete(job.jobId));
      lives.set(job.jobId, life);
    },
    stop: async (job) => {
      if (job.status === 'InProgress') {
        const plan = planProgress(job);
        const last = plan.steps.at(-1) ?? { atMs: clock.now(), records: 0 };
        const spanMs = last.atMs - job.stageSinceMs;
        const fraction = spanMs > 0 ? Math.min(1, (clock.now() - job.stageSinceMs) / spanMs) : 1;
        job.stoppedAtRecord = Math.max(Math.floor(last.records * fraction), job.counts.processed);
      }
      job.status = 'Stopping';
      job.stageSinceMs = clock.now();
      job.lastModifiedMs = job.stageSinceMs;
      stages.get(job.jobId)?.abort(new StageLeftError());
      await book.save(job);
    },
    close: async () => {
      closing.abort(new StageLeftError());
      await Promise.allSettled(lives.values());
    },
  };
}

interface ProgressEnd {
  /** Of the records, and of the time, at which it ends. */
  fraction: number;
  status: EmulatedStatus;
  keepsOutput: boolean;
  message: string | undefined;
}

interface ProgressPlan extends ProgressEnd {
  steps: { atMs: number; records: number }[];
}

function toProgressEnd(fault: Extract<JobFault, { kind: 'job-ended' }>): ProgressEnd {
  const { fraction, status, keepsOutput, message } = fault;
  return { fraction, status, keepsOutput, message };
}

/** Waits for both to settle before it throws, so that nothing goes on behind a stage that was left. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}

/** Wakes all who wait for a job to end. */
function createQueue() {
  let waiting: (() => void)[] = [];
  return {
    changed: () => {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
    nextChange: (wait: (changed: Promise<void>) => Promise<unknown>) =>
      wait(
        new Promise((resolve) => {
          waiting.push(resolve);
        }),
      ),
  };
}
