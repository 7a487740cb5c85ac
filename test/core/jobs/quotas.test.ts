import { expect, test } from 'vitest';
import { InvalidRunInputError } from '../../../src/core/errors.ts';
import { DEFAULT_BATCH_QUOTAS, recordsPerJobLimit } from '../../../src/core/jobs/quotas.ts';

test('a job holds as many records as the quota, unless the run asks for fewer', () => {
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, undefined)).toBe(50_000);
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, 50_000)).toBe(50_000);
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, 1_000)).toBe(1_000);
  expect(recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, 100)).toBe(100);
});

test.each([
  [
    99,
    'max_records_per_job is 99, but Bedrock takes no job of fewer than 100 records. Give at least 100, or use max_records for a small try.',
  ],
  [
    50_001,
    "max_records_per_job is 50001, but a job is taken to have 50,000 records at most: that is Quarry's own default, not read from your account. Give at most that; or, where the account's quota for the model is higher, say so with --records-per-job-quota (on a stack: maxRecordsPerJob).",
  ],
])('%i records per job contradict the quotas', (maxRecordsPerJob, message) => {
  const limit = () => recordsPerJobLimit(DEFAULT_BATCH_QUOTAS, maxRecordsPerJob);
  expect(limit).toThrow(InvalidRunInputError);
  expect(limit).toThrow(message);
});

test('a quota that was given is called what it is', () => {
  const quotas = { ...DEFAULT_BATCH_QUOTAS, maxRecordsPerJob: 100_000 };
  expect(recordsPerJobLimit(quotas, 75_000)).toBe(75_000);
  expect(() => recordsPerJobLimit(quotas, 100_001)).toThrow(
    'max_records_per_job is 100001, but a job may have 100,000 records at most by the quota that was given. Give at most that, or leave it out.',
  );
});
