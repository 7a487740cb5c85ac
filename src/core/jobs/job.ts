import { z } from 'zod';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetModelInvocationJob.html */
export const JobStatus = z.enum([
  'Submitted',
  'Validating',
  'Scheduled',
  'InProgress',
  'Completed',
  'PartiallyCompleted',
  'Failed',
  'Stopping',
  'Stopped',
  'Expired',
]);
export type JobStatus = z.infer<typeof JobStatus>;

/** The status in a service's answer: one that this version does not know is not known to be an end, and is waited for. */
export function toJobStatus(status: string | undefined): JobStatus {
  return JobStatus.catch('InProgress').parse(status);
}

/** What a job's status means for its part. Whatever has ended is collected: a failed job may have left output. */
export type JobOutcome = { kind: 'running' } | { kind: 'ended'; complete: boolean };

/** The outcome of a status. `Completed` says nothing of the records: all of them may be errors. */
export function outcomeOf(status: JobStatus): JobOutcome {
  switch (status) {
    case 'Completed':
      return { kind: 'ended', complete: true };
    case 'PartiallyCompleted':
    case 'Failed':
    case 'Stopped':
    case 'Expired':
      return { kind: 'ended', complete: false };
    case 'Submitted':
    case 'Validating':
    case 'Scheduled':
    case 'InProgress':
    case 'Stopping':
      return { kind: 'running' };
  }
}

/** Statuses from which a job never moves. */
export const TERMINAL_STATUSES = JobStatus.options.filter((status) => outcomeOf(status).kind === 'ended');

const MAX_JOB_NAME_LENGTH = 63;

/**
 * Bedrock's pattern of a job name, `[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9\+\-\.]){0,63}` of at most 63 characters, without
 * its exponential backtracking.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
 */
export const JOB_NAME_PATTERN = /^[a-zA-Z0-9][a-zA-Z0-9+.-]{0,62}$/;

/** Who a job belongs to; a part's id differs from wave to wave, so each attempt has a job of its own. */
export interface JobIdentity {
  /** Start of the name, as the user gave it. */
  prefix: string;
  runId: string;
  /** Hash, in hexadecimal, of what the run is of, where it lives and when it was planned: two runs never share a job. */
  runHash: string;
  partId: string;
}

/**
 * The job's name: the same for the same part, unlike any other run's. The prefix is cut before the rest is, and what
 * Bedrock does not take in a name becomes a hyphen.
 */
export function jobNameOf({ prefix, runHash, partId }: JobIdentity): string {
  const suffix = `${jobNameMarkOf(runHash)}${partId}`;
  const start = prefix
    .replace(/[^a-zA-Z0-9+.-]+/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(0, MAX_JOB_NAME_LENGTH - suffix.length - 1)
    .replace(/[-+.]+$/, '');
  return start === '' ? suffix : `${start}-${suffix}`;
}

/** What the names of all jobs of a run have in common, before the part's id. */
export function jobNameMarkOf(runHash: string): string {
  return `${runHash.slice(0, 8)}-`;
}

/** Hexadecimal digest of a text. */
export type Hash = (text: string) => string;

/** The client request token: the same for the same part, so that a job submitted again is not a second job. */
export function clientRequestTokenOf({ runId, runHash, partId }: JobIdentity, hash: Hash): string {
  return hash(JSON.stringify([runId, runHash, partId]));
}

/** Who a job is, as its tags say it: enough to find the run of an orphan. */
export function jobTagsOf({ runId, partId }: JobIdentity, attempt: number): { key: string; value: string }[] {
  return [
    { key: 'quarry:run', value: runId },
    { key: 'quarry:part', value: partId },
    { key: 'quarry:attempt', value: String(attempt) },
  ];
}
