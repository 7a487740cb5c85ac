import { InvalidRunInputError } from '../errors.ts';

/**
 * Bedrock's batch inference quotas of one model in one account and region.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/quotas.html
 */
export interface BatchQuotas {
  /** Fewest records in a job. */
  minRecordsPerJob: number;
  /** Most records in a job, and in each of its input files. */
  maxRecordsPerJob: number;
  /** Most bytes of one input file; Quarry gives each job one file. */
  maxInputFileBytes: number;
  /** Most jobs in progress and submitted at once. */
  maxConcurrentJobs: number;
}

/**
 * What Quarry takes an account to have, unless it is told another number: AWS's defaults as of autumn 2026. New accounts may have
 * less, others more. https://docs.aws.amazon.com/general/latest/gr/bedrock.html
 */
export const DEFAULT_BATCH_QUOTAS: BatchQuotas = {
  minRecordsPerJob: 100,
  maxRecordsPerJob: 100_000,
  maxInputFileBytes: 1024 ** 3,
  maxConcurrentJobs: 100,
};

/** How many of a run's jobs are sent at once: as many as the quota, unless the run asks for fewer by `max_concurrent_jobs`. */
export function jobsAtOnce(quota: number, maxConcurrentJobs: number | undefined): number {
  return Math.min(quota, maxConcurrentJobs ?? quota);
}

/** The most records a part may have under `max_records_per_job`; throws InvalidRunInputError where they contradict. */
export function recordsPerJobLimit(quotas: BatchQuotas, maxRecordsPerJob: number | undefined): number {
  if (maxRecordsPerJob === undefined) return quotas.maxRecordsPerJob;
  if (maxRecordsPerJob < quotas.minRecordsPerJob) {
    throw new InvalidRunInputError(
      `max_records_per_job is ${maxRecordsPerJob}, but Bedrock takes no job of fewer than ${quotas.minRecordsPerJob} records. Give at least ${quotas.minRecordsPerJob}, or use max_records for a small try.`,
    );
  }
  if (maxRecordsPerJob > quotas.maxRecordsPerJob) {
    const most = quotas.maxRecordsPerJob.toLocaleString('en-US');
    throw new InvalidRunInputError(
      quotas.maxRecordsPerJob === DEFAULT_BATCH_QUOTAS.maxRecordsPerJob
        ? `max_records_per_job is ${maxRecordsPerJob}, but a job is taken to have ${most} records at most: that is Quarry's own default, not read from your account. Give at most that; or, where the account's quota for the model is higher, say so with --records-per-job-quota (on a stack: maxRecordsPerJob).`
        : `max_records_per_job is ${maxRecordsPerJob}, but a job may have ${most} records at most by the quota that was given. Give at most that, or leave it out.`,
    );
  }
  return maxRecordsPerJob;
}
