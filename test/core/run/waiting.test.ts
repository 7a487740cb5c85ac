import { expect, test } from 'vitest';
import { AccessDeniedError, BedrockThrottledError, JobQuotaExceededError } from '../../../src/core/errors.ts';
import { waitingOf } from '../../../src/core/run/waiting.ts';

test('a wait begins when its reason is first met, and another reason begins another wait', () => {
  const first = waitingOf(new JobQuotaExceededError('No slot.'), { before: undefined, nowMs: 0 });
  expect(first).toEqual({
    error: 'JobQuotaExceededError',
    message: 'No slot.',
    since: '1970-01-01T00:00:00.000Z',
  });
  const still = waitingOf(new JobQuotaExceededError('Still none.'), { before: first, nowMs: 60_000 });
  expect(still).toEqual({ ...first, message: 'Still none.' });
  const other = waitingOf(new BedrockThrottledError('Slow down.'), { before: still, nowMs: 60_000 });
  expect(other).toMatchObject({ error: 'BedrockThrottledError', since: '1970-01-01T00:01:00.000Z' });
});

test('nobody waits for the end of what no wait mends', () => {
  expect(waitingOf(new AccessDeniedError('No.'), { before: undefined, nowMs: 0 })).toBeUndefined();
  expect(waitingOf(new TypeError('x is not a function'), { before: undefined, nowMs: 0 })).toBeUndefined();
});
