import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatorContext } from '../emulator-context.ts';
import { findEmulatedModel } from '../models/model-catalog.ts';
import { type ScanResult, scanInput } from './input-scan.ts';
import { extraMsOf, planProgress, scriptedValidation } from './job-progress.ts';
import { type JobWork, openJobWork } from './job-work.ts';
import { quotasOf } from './quotas.ts';
import { deadlineOf, type EmulatedStatus, isTerminal, type StoredJob } from './stored-job.ts';

/** Thrown inside a stage whose job went on to another status meanwhile. */
export class StageLeftError extends Error {}

/** One job on its way, and what its stages share. */
export interface JobLife {
  job: StoredJob;
  context: EmulatorContext;
  /** Aborted when the stage is left. */
  signal: AbortSignal;
  /** Once its records are worked on: kept over the stages, as it holds answers that could not be written yet. */
  work: JobWork | undefined;
  /** Why it waited the last time, as it was told. */
  waitedFor: string | undefined;
  /** Tells all who wait for a place that a job has ended. */
  onEnded(): void;
  /** Settles at the next job's end. */
  nextEnd(): Promise<void>;
}

const MAX_WINDOW_RECORDS = 256;
/** A model server is slow, and what it is asked for next is near in the file. */
const MAX_WINDOW_RECORDS_WITH_SERVER = 64;

/** Carries a job through its present stage, into the next one. */
export async function runStage(life: JobLife): Promise<void> {
  const { job, context } = life;
  switch (job.status) {
    case 'Submitted':
      await passStage(life, context.durations.submittedMs);
      return enterStatus(life, 'Submitted', { to: 'Validating' });
    case 'Validating':
      return validate(life);
    case 'Scheduled':
      await passStage(life, context.durations.scheduledMs);
      await waitForPlace(life);
      return enterStatus(life, 'Scheduled', { to: 'InProgress' });
    case 'InProgress':
      return process(life);
    case 'Stopping':
      return finishStop(life);
    case 'Completed':
    case 'PartiallyCompleted':
    case 'Failed':
    case 'Stopped':
    case 'Expired':
      return;
  }
}

/** Goes on to the next status, unless somebody stopped the job meanwhile. */
export async function enterStatus(
  life: JobLife,
  from: EmulatedStatus,
  { to, message }: { to: EmulatedStatus; message?: string | undefined },
): Promise<void> {
  const { job, context } = life;
  const { clock, book } = context;
  if (job.status !== from) throw new StageLeftError();
  const before = { ...job };
  job.status = to;
  if (message !== undefined) job.message = message.slice(0, 2048);
  job.stageSinceMs = clock.now();
  job.lastModifiedMs = job.stageSinceMs;
  if (isTerminal(to)) job.endTimeMs = job.stageSinceMs;
  try {
    await clock.busy(() => book.save(job));
  } catch (error) {
    // What is not written down has not happened: the stage is gone through again.
    if (job.status === to) Object.assign(job, { message: undefined, endTimeMs: undefined }, before);
    throw error;
  }
  if (!isTerminal(to)) return;
  life.work = undefined;
  await clock.busy(() => rm(workDirectoryOf(life), { recursive: true, force: true }));
  life.onEnded();
}

/** Publishes what a job has, and fails it: where it cannot go on, what was answered is not thrown away. */
export async function failWithOutput(life: JobLife, reason: string): Promise<void> {
  const { job, work, context } = life;
  const { status } = job;
  await context.clock.busy(async () => {
    await work?.keepAnswered();
    if (work !== undefined && work.position() > 0) await publish(life, work, true);
  });
  const kept =
    job.counts.success > 0 ? ` The output has the ${job.counts.success} answers that there were.` : '';
  await enterStatus(life, status, { to: 'Failed', message: `${reason.replace(/\.?$/, '.')}${kept}` });
}

/** Sits out a stage before InProgress: to its end, or to the job's expiry, or to a scripted end. */
async function passStage(life: JobLife, stageMs: number): Promise<void> {
  const { job, context } = life;
  const stage = job.status;
  const endMs = job.stageSinceMs + stageMs + extraMsOf(job, stage, context.faults);
  await sleepUntil(life, Math.min(endMs, deadlineOf(job)));
  if (endMs > deadlineOf(job)) await expire(life, stage);
  const ending = context.faults.jobFaults(job, 'job-ended').find((fault) => fault.stage === stage);
  if (ending !== undefined) {
    await enterStatus(life, stage, { to: ending.status, message: ending.message });
    throw new StageLeftError();
  }
}

async function expire(life: JobLife, stage: EmulatedStatus): Promise<void> {
  await enterStatus(life, stage, { to: 'Expired', message: 'The job timed out before it began.' });
  throw new StageLeftError();
}

async function validate(life: JobLife): Promise<void> {
  const { job, context } = life;
  const [, result] = await both(
    passStage(life, context.durations.validatingMs),
    context.clock.busy(() => scan(life)),
  );
  const scripted = scriptedValidation(job, context.faults);
  if (scripted !== undefined) {
    return enterStatus(life, 'Validating', { to: 'Failed', message: scripted });
  }
  if (result.kind === 'invalid') {
    return enterStatus(life, 'Validating', { to: 'Failed', message: result.message });
  }
  job.totalRecords = result.records;
  await enterStatus(life, 'Validating', { to: 'Scheduled' });
}

function scan({ job, context, signal }: JobLife): Promise<ScanResult> {
  const model = findEmulatedModel(job.modelId, context.account);
  return context.inTurn(job.modelServer, () =>
    scanInput({
      store: context.store,
      inputUri: job.inputDataConfig.s3InputDataConfig.s3Uri,
      quotas: quotasOf(model.baseId, context.quotas),
      maxWindowRecords: job.modelServer === undefined ? MAX_WINDOW_RECORDS : MAX_WINDOW_RECORDS_WITH_SERVER,
      signal,
    }),
  );
}

/** In the mode `queue`, waits for a place among the running jobs of the model: first come, first served. */
async function waitForPlace(life: JobLife): Promise<void> {
  const { job, context, signal } = life;
  if (context.overQuota !== 'queue') return;
  while (!hasPlace(life)) {
    const timer = new AbortController();
    const expiry = { ...life, signal: AbortSignal.any([timer.signal, signal]) };
    await Promise.race([life.nextEnd(), sleepUntil(expiry, deadlineOf(job))]).finally(() => timer.abort());
    signal.throwIfAborted();
    if (context.clock.now() >= deadlineOf(job)) await expire(life, 'Scheduled');
  }
}

function hasPlace({ job, context }: JobLife): boolean {
  const baseIdOf = ({ modelId }: StoredJob) => findEmulatedModel(modelId, context.account).baseId;
  const baseId = baseIdOf(job);
  const others = context.book.all().filter((other) => other !== job && baseIdOf(other) === baseId);
  const running = others.filter(({ status }) => status === 'InProgress' || status === 'Stopping').length;
  const before = others.filter((other) => other.status === 'Scheduled' && other.ordinal < job.ordinal).length;
  return running + before < quotasOf(baseId, context.quotas).maxConcurrentJobs;
}

async function process(life: JobLife): Promise<void> {
  const { job, context } = life;
  const { clock } = context;
  const work = await clock.busy(() => openWork(life));
  if (job.status !== 'InProgress') throw new StageLeftError();
  const plan = planProgress(job, context);
  for (const step of plan.steps) {
    if (step.records < work.position()) continue;
    await both(sleepUntil(life, step.atMs), advance(life, work, step.records));
    if (job.status !== 'InProgress') throw new StageLeftError();
    const isFinal = step === plan.steps.at(-1);
    if (!isFinal || plan.keepsOutput) await clock.busy(() => publish(life, work, isFinal));
  }
  await enterStatus(life, 'InProgress', { to: plan.status, message: plan.message });
}

async function finishStop(life: JobLife): Promise<void> {
  const { job, context } = life;
  const { durations, faults, clock } = context;
  const stoppingMs = durations.stoppingMs + extraMsOf(job, 'Stopping', faults);
  await both(
    sleepUntil(life, job.stageSinceMs + stoppingMs),
    clock.busy(() => concludeStop(life)),
  );
  await enterStatus(life, 'Stopping', { to: 'Stopped' });
}

/** Leaves the output of the records that were through when the job was told to stop. */
async function concludeStop(life: JobLife): Promise<void> {
  const { job, context } = life;
  const stopped = job.stoppedAtRecord;
  if (stopped === undefined) return;
  const work = await openWork(life);
  if (job.status !== 'Stopping') throw new StageLeftError();
  if (job.modelServer === undefined) {
    // The simulated model works ahead of the clock.
    if (work.position() > stopped) await work.restart();
    await context.inTurn(undefined, () => work.advanceTo(stopped, life.signal));
  } else {
    // A real one's answers exist, and are kept.
    await work.keepAnswered();
  }
  await publish(life, work, true);
}

/** Answers up to a record, and leaves a model server alone for as long as it asks to be. */
async function advance(life: JobLife, work: JobWork, records: number): Promise<void> {
  const { job, context, signal } = life;
  const { clock, inTurn } = context;
  for (;;) {
    const waitMs = await clock.busy(() => inTurn(job.modelServer, () => work.advanceTo(records, signal)));
    if (waitMs === undefined) return;
    await clock.sleep(waitMs, signal);
  }
}

async function openWork(life: JobLife): Promise<JobWork> {
  const { job, context } = life;
  if (life.work !== undefined) return life.work;
  const result = await scan(life);
  if (result.kind === 'invalid')
    await enterStatus(life, job.status, { to: 'Failed', message: result.message });
  life.work = await openJobWork(job, result.kind === 'valid' ? result.files : [], {
    store: context.store,
    directory: workDirectoryOf(life),
    answersPath: context.trackRecords
      ? join(context.stateDirectory, 'answers', `${job.jobId}.txt`)
      : undefined,
    answerer: context.answerer,
    faults: context.faults,
    model: findEmulatedModel(job.modelId, context.account),
    seed: context.seed,
  });
  return life.work;
}

async function publish({ job, context }: JobLife, work: JobWork, isFinal: boolean): Promise<void> {
  await work.publish(isFinal);
  job.counts = work.counts();
  job.isBilled = true;
  job.lastModifiedMs = context.clock.now();
  await context.book.save(job);
}

async function sleepUntil({ context: { clock }, signal }: JobLife, timeMs: number): Promise<void> {
  const restMs = timeMs - clock.now();
  if (restMs > 0) await clock.sleep(restMs, signal);
  signal.throwIfAborted();
}

function workDirectoryOf({ job, context }: JobLife): string {
  return join(context.stateDirectory, 'work', job.jobId);
}

/** Waits for both to settle before it throws, so that nothing goes on behind a stage that was left. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  const [a, b] = await Promise.allSettled([first, second]);
  if (a.status === 'rejected') throw a.reason;
  if (b.status === 'rejected') throw b.reason;
  return [a.value, b.value];
}
