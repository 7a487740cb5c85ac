import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clientRequestTokenOf,
  JOB_NAME_PATTERN,
  type JobIdentity,
  JobStatus,
  jobNameOf,
  jobTagsOf,
  outcomeOf,
  TERMINAL_STATUSES,
  toJobStatus,
} from '../../../src/core/jobs/job.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html, as it stands there. */
const BEDROCK_JOB_NAME = /^[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9+\-.]){0,63}$/;
const BEDROCK_TOKEN = /^[a-zA-Z0-9]{1,256}(-*[a-zA-Z0-9]){0,256}$/;
const BEDROCK_TAG_VALUE = /^[a-zA-Z0-9\s._:/=+@-]{0,256}$/;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const identity: fc.Arbitrary<JobIdentity> = fc.record({
  prefix: fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9+.-]{0,39}$/)),
  runId: fc.stringMatching(/^[a-zA-Z0-9](-?[a-zA-Z0-9]){0,29}$/),
  runHash: fc.string().map(sha256),
  partId: fc.stringMatching(/^(w\d{1,2}-)?p\d{5}(-\d{1,3})?$/),
});

describe('a job name', () => {
  test('is one that Bedrock takes, for any prefix, run and part', () => {
    fc.assert(
      fc.property(identity, (job) => {
        expect(jobNameOf(job)).toMatch(BEDROCK_JOB_NAME);
        expect(jobNameOf(job).length).toBeLessThanOrEqual(63);
        expect(jobNameOf(job)).toMatch(JOB_NAME_PATTERN);
      }),
    );
  });

  test('is the same for the same part, and differs by part and by run', () => {
    const job = { prefix: 'jokes', runId: 'r1', runHash: sha256('r1'), partId: 'p00001' };
    expect(jobNameOf(job)).toBe(jobNameOf({ ...job }));
    expect(jobNameOf(job)).toBe(`jokes-${sha256('r1').slice(0, 8)}-p00001`);
    expect(jobNameOf({ ...job, partId: 'p00002' })).not.toBe(jobNameOf(job));
    expect(jobNameOf({ ...job, runHash: sha256('r2') })).not.toBe(jobNameOf(job));
  });

  test('cuts the prefix, never what tells jobs apart', () => {
    const job = { prefix: 'x'.repeat(80), runId: 'r', runHash: 'abcdef0123', partId: 'p00001' };
    expect(jobNameOf(job)).toBe(`${'x'.repeat(47)}-abcdef01-p00001`);
  });

  test('turns what Bedrock does not take into hyphens, and does without a prefix of nothing else', () => {
    const rest = { runId: 'r', runHash: 'abcdef01', partId: 'p00001' };
    expect(jobNameOf({ ...rest, prefix: '_my jobs_' })).toBe('my-jobs-abcdef01-p00001');
    expect(jobNameOf({ ...rest, prefix: '…' })).toBe('abcdef01-p00001');
  });

  test('is judged as Bedrock’s own pattern judges it', () => {
    const nearlyName = fc.string({
      unit: fc.constantFrom('a', 'Z', '0', '-', '+', '.', '_', ' '),
      maxLength: 12,
    });
    fc.assert(
      fc.property(nearlyName, (name) => {
        expect(JOB_NAME_PATTERN.test(name)).toBe(BEDROCK_JOB_NAME.test(name));
      }),
    );
    expect(JOB_NAME_PATTERN.test('a'.repeat(63))).toBe(true);
    expect(JOB_NAME_PATTERN.test('a'.repeat(64))).toBe(false);
  });

  test('is judged at once, even where Bedrock’s own pattern would take years', () => {
    expect(JOB_NAME_PATTERN.test(`a${'-'.repeat(60)}_`)).toBe(false);
  });
});

describe('a client request token', () => {
  test('is one that Bedrock takes, and the same for the same part', () => {
    fc.assert(
      fc.property(identity, (job) => {
        const token = clientRequestTokenOf(job, sha256);
        expect(token).toMatch(BEDROCK_TOKEN);
        expect(clientRequestTokenOf({ ...job, prefix: 'another' }, sha256)).toBe(token);
      }),
    );
  });

  test('differs by run, input and part', () => {
    const job = { prefix: 'x', runId: 'a', runHash: 'b', partId: 'c' };
    const others = [{ runId: 'x' }, { runHash: 'x' }, { partId: 'x' }, { runId: 'ab', runHash: '' }];
    const tokens = [job, ...others.map((other) => ({ ...job, ...other }))].map((other) =>
      clientRequestTokenOf(other, sha256),
    );
    expect(new Set(tokens).size).toBe(tokens.length);
  });
});

test('the tags tell run, part and attempt, in characters that Bedrock takes', () => {
  fc.assert(
    fc.property(identity, fc.integer({ min: 1, max: 10 }), (job, attempt) => {
      const tags = jobTagsOf(job, attempt);
      expect(tags).toEqual([
        { key: 'quarry:run', value: job.runId },
        { key: 'quarry:part', value: job.partId },
        { key: 'quarry:attempt', value: String(attempt) },
      ]);
      for (const { key, value } of tags) expect(key + value).toMatch(BEDROCK_TAG_VALUE);
    }),
  );
});

describe('the outcome of a status', () => {
  test.each(['PartiallyCompleted', 'Failed', 'Stopped', 'Expired'] as const)(
    '%s has ended and may have left output',
    (status) => {
      expect(outcomeOf(status)).toEqual({ kind: 'ended', complete: false });
    },
  );

  test('Completed has ended with every record processed', () => {
    expect(outcomeOf('Completed')).toEqual({ kind: 'ended', complete: true });
  });

  test.each(['Submitted', 'Validating', 'Scheduled', 'InProgress', 'Stopping'] as const)(
    '%s is still running',
    (status) => {
      expect(outcomeOf(status)).toEqual({ kind: 'running' });
    },
  );

  test('five of the ten statuses are final', () => {
    expect(JobStatus.options).toHaveLength(10);
    expect(TERMINAL_STATUSES).toEqual(['Completed', 'PartiallyCompleted', 'Failed', 'Stopped', 'Expired']);
  });
});

test('a status that this version does not know is waited for', () => {
  expect(toJobStatus('Stopped')).toBe('Stopped');
  expect(toJobStatus('Pausing')).toBe('InProgress');
  expect(toJobStatus(undefined)).toBe('InProgress');
});
