import type { FaultInjector } from '../faults/fault-injector.ts';
import type { JobFault } from '../faults/faults.ts';
import { cannotGetObject } from './input-scan.ts';
import { deadlineOf, type EmulatedStatus, type StoredJob } from './stored-job.ts';
import type { OutputStaging, StageDurations } from './timing.ts';

/** What decides how a job goes on. */
export interface JobScript {
  durations: StageDurations;
  staging: OutputStaging;
  faults: FaultInjector;
}

/** How a job ends that is in progress. */
interface ProgressEnd {
  /** Of the records, and of the time, at which it ends. */
  fraction: number;
  status: EmulatedStatus;
  keepsOutput: boolean;
  message: string | undefined;
}

/** When how many records of a job are through, and how it ends. */
export interface ProgressPlan extends ProgressEnd {
  steps: { atMs: number; records: number }[];
}

/** When how many records are through, and how it ends. */
export function planProgress(job: StoredJob, script: JobScript): ProgressPlan {
  const { durations, staging } = script;
  const total = job.totalRecords ?? 0;
  const durationMs =
    durations.inProgressMs +
    total * durations.inProgressMsPerRecord +
    extraMsOf(job, 'InProgress', script.faults);
  const end = endOf(job, durationMs, script.faults);
  const stepAt = (fraction: number) => ({
    // Whole milliseconds, as a job's times are written down.
    atMs: Math.ceil(job.stageSinceMs + durationMs * fraction),
    records: Math.floor(total * fraction),
  });
  const versions = end.keepsOutput && durationMs >= staging.minDurationMs ? staging.versions : 0;
  const steps = Array.from({ length: versions }, (_, index) =>
    stepAt((end.fraction * (index + 1)) / (versions + 1)),
  );
  return { ...end, steps: [...steps, stepAt(end.fraction)] };
}

/** How many records of a job in progress are through now, as its plan has it. */
export function recordsThrough(job: StoredJob, { steps }: ProgressPlan, nowMs: number): number {
  const last = steps.at(-1) ?? { atMs: nowMs, records: 0 };
  const spanMs = last.atMs - job.stageSinceMs;
  const fraction = spanMs > 0 ? Math.min(1, Math.max(0, (nowMs - job.stageSinceMs) / spanMs)) : 1;
  return Math.max(Math.floor(last.records * fraction), job.counts.processed);
}

/** Milliseconds by which the script prolongs a stage. */
export function extraMsOf(job: StoredJob, stage: EmulatedStatus, faults: FaultInjector): number {
  return faults
    .jobFaults(job, 'slow-stage')
    .filter((fault) => fault.stage === stage)
    .reduce((sum, fault) => sum + fault.extraMs, 0);
}

/** The message with which the script lets a job fail in validation; undefined where it does not. */
export function scriptedValidation(job: StoredJob, faults: FaultInjector): string | undefined {
  const [failed] = faults.jobFaults(job, 'validation-failed');
  if (failed !== undefined) return failed.message;
  const [denied] = faults.jobFaults(job, 'kms-denied');
  if (denied === undefined) return undefined;
  const { s3Uri } =
    denied.operation === 'GetObject'
      ? job.inputDataConfig.s3InputDataConfig
      : job.outputDataConfig.s3OutputDataConfig;
  return cannotGetObject(s3Uri).replace('GetObject', denied.operation);
}

function endOf(job: StoredJob, durationMs: number, faults: FaultInjector): ProgressEnd {
  const scripted = faults.jobFaults(job, 'job-ended').find((fault) => fault.stage === 'InProgress');
  if (scripted !== undefined) return toProgressEnd(scripted);
  const leftMs = deadlineOf(job) - job.stageSinceMs;
  return durationMs > leftMs
    ? { fraction: leftMs / durationMs, status: 'PartiallyCompleted', keepsOutput: true, message: undefined }
    : { fraction: 1, status: 'Completed', keepsOutput: true, message: undefined };
}

function toProgressEnd(fault: Extract<JobFault, { kind: 'job-ended' }>): ProgressEnd {
  const { fraction, status, keepsOutput, message } = fault;
  return { fraction, status, keepsOutput, message };
}
