import { expect, test } from 'vitest';
import { InvalidRunInputError } from '../../../src/core/errors.ts';
import { DEFAULT_BATCH_QUOTAS, jobsAtOnce, recordsPerJobLimit } from '../../../src/core/jobs/quotas.ts';

test('a job holds as many records as the quota, unless the run asks for fewer', () => {
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, undefined)).toBe(100_000);
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, 100_000)).toBe(100_000);
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, 1_000)).toBe(1_000);
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, 100)).toBe(100);
});

test.each([
  [
    99,
    'max_records_per_job is 99, but Bedrock takes no job of fewer than 100 records. Give at least 100, or use max_records for a small try.',
  ],
  [
    100_001,
    "max_records_per_job is 100001, but a job is taken to have 100,000 records at most: that is AWS's default as of 2026-10, not read from your account. Give at most that; or, where the account's quota for the model is higher, say so with --records-per-job-quota (on a stack: maxRecordsPerJob).",
  ],
])('%i records per job contradict the quotas', (maxRecordsPerJob, message) => {
  const limit = () => recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, maxRecordsPerJob);
  expect(limit).toThrow(InvalidRunInputError);
  expect(limit).toThrow(message);
});

test('a quota that was given is called what it is', () => {
  const quotas = { ...DEFAULT_BATCH_QUOTAS, maxRecordsPerJob: 200_000 };
  expect(recordsPerJobLimit(quotas, 150_000)).toBe(150_000);
  expect(() => recordsPerJobLimit(quotas, 200_001, 'told')).toThrow(
    'max_records_per_job is 200001, but a job may have 200,000 records at most by the quota that was given. Give at most that, or leave it out.',
  );
});

test('a run sends as many jobs at once as the quota, unless it asks for fewer', () => {
  expect(jobsAtOnce(100, undefined)).toBe(100);
  expect(jobsAtOnce(100, 5)).toBe(5);
  expect(jobsAtOnce(20, 100)).toBe(20);
});

test('a quota of the account, or of the stack, is called what it is, with where to change it', () => {
  const quotas = { ...DEFAULT_BATCH_QUOTAS, maxRecordsPerJob: 500 };
  expect(() => recordsPerJobLimit(quotas, 501, 'account')).toThrow(
    'max_records_per_job is 501, but a job may have 500 records at most by this account\'s quota for the model. Give at most that, or ask AWS for more in Service Quotas ("Records per batch inference job").',
  );
  expect(() => recordsPerJobLimit(quotas, 501, 'stack')).toThrow(
    'max_records_per_job is 501, but a job may have 500 records at most as the stack was deployed. Give at most that, or deploy it with another maxRecordsPerJob.',
  );
});
