import { InvalidRunInputError } from './errors.ts';

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

/** What an account has unless it asked for more. Read with Service Quotas where that can be reached. */
export const DEFAULT_BATCH_QUOTAS: BatchQuotas = {
  minRecordsPerJob: 100,
  maxRecordsPerJob: 50_000,
  maxInputFileBytes: 1024 ** 3,
  maxConcurrentJobs: 20,
};

/** The most records a part may have under `max_records_per_job`; throws InvalidRunInputError where they contradict. */
export function recordsPerJobLimit(quotas: BatchQuotas, maxRecordsPerJob: number | undefined): number {
  if (maxRecordsPerJob === undefined) return quotas.maxRecordsPerJob;
  if (maxRecordsPerJob < quotas.minRecordsPerJob) {
    throw new InvalidRunInputError(
      `max_records_per_job is ${maxRecordsPerJob}, but Bedrock takes no job of fewer than ${quotas.minRecordsPerJob} records. Give at least ${quotas.minRecordsPerJob}, or use max_records for a small try.`,
    );
  }
  if (maxRecordsPerJob > quotas.maxRecordsPerJob) {
    throw new InvalidRunInputError(
      `max_records_per_job is ${maxRecordsPerJob}, but the quota of this model is ${quotas.maxRecordsPerJob} records per job. Give at most that, or leave it out.`,
    );
  }
  return maxRecordsPerJob;
}
