import { z } from 'zod';
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

/** Month that the defaults were read in. */
export const DEFAULT_QUOTAS_AS_OF = '2026-10';

/**
 * Where a quota comes from: Service Quotas of the account; the user, by an option; the stack, as it was deployed; or, where nobody
 * tells, AWS's default.
 */
export const QuotaSource = z.enum(['account', 'told', 'stack', 'default']);
export type QuotaSource = z.infer<typeof QuotaSource>;

/** How many of a run's jobs are sent at once: as many as the quota, unless the run asks for fewer by `max_concurrent_jobs`. */
export function jobsAtOnce(quota: number, maxConcurrentJobs: number | undefined): number {
  return Math.min(quota, maxConcurrentJobs ?? quota);
}

/** The most records a part may have under `max_records_per_job`; throws InvalidRunInputError where they contradict. */
export function recordsPerJobLimit(
  quotas: BatchQuotas,
  maxRecordsPerJob: number | undefined,
  source: QuotaSource = 'default',
): number {
  if (maxRecordsPerJob === undefined) return quotas.maxRecordsPerJob;
  if (maxRecordsPerJob < quotas.minRecordsPerJob) {
    throw new InvalidRunInputError(
      `max_records_per_job is ${maxRecordsPerJob}, but Bedrock takes no job of fewer than ${quotas.minRecordsPerJob} records. Give at least ${quotas.minRecordsPerJob}, or use max_records for a small try.`,
    );
  }
  if (maxRecordsPerJob > quotas.maxRecordsPerJob) {
    const most = quotas.maxRecordsPerJob.toLocaleString('en-US');
    throw new InvalidRunInputError(
      `max_records_per_job is ${maxRecordsPerJob}, but a job ${OVER_QUOTA[source](most)}`,
    );
  }
  return maxRecordsPerJob;
}

const OVER_QUOTA: Readonly<Record<QuotaSource, (most: string) => string>> = {
  default: (most) =>
    `is taken to have ${most} records at most: that is AWS's default as of ${DEFAULT_QUOTAS_AS_OF}, not read from your account. Give at most that; or, where the account's quota for the model is higher, say so with --records-per-job-quota (on a stack: maxRecordsPerJob).`,
  told: (most) =>
    `may have ${most} records at most by the quota that was given. Give at most that, or leave it out.`,
  stack: (most) =>
    `may have ${most} records at most as the stack was deployed. Give at most that, or deploy it with another maxRecordsPerJob.`,
  account: (most) =>
    `may have ${most} records at most by this account's quota for the model. Give at most that, or ask AWS for more in Service Quotas ("Records per batch inference job").`,
};
