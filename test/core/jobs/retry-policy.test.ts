import { expect, test } from 'vitest';
import { isClientError, isRetryableCode } from '../../../src/core/jobs/retry-policy.ts';

test.each([
  '408',
  '424',
  '429',
  '500',
  '503',
  '599',
  'RecordMissing',
  'JobExpired',
  'RunStopped',
  'BudgetExceeded',
  'Lambda.Unknown',
  'ThrottlingException',
  'throttlingException',
  'ModelErrorException',
  'InternalServerException',
  'AccessDeniedError',
])('%s may end otherwise the next time', (code) => {
  expect(isRetryableCode(code)).toBe(true);
  expect(isClientError(code)).toBe(false);
});

test.each([
  '400',
  '403',
  '404',
  'ValidationException',
  'validationException',
  'AccessDeniedException',
  'ResourceNotFoundException',
])('%s is the client’s own, and stays', (code) => {
  expect(isRetryableCode(code)).toBe(false);
  expect(isClientError(code)).toBe(true);
});

test.each(['NullPromptValue', 'UnexpectedModelOutput', 'UnknownError', '200', '5000', ''])(
  '%s stays, and is no client error',
  (code) => {
    expect(isRetryableCode(code)).toBe(false);
    expect(isClientError(code)).toBe(false);
  },
);
