import { expect, test } from 'vitest';
import { isClientError, isRetryableCode, owedUnder } from '../../../src/core/jobs/retry-policy.ts';

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

test('records are owed while they have attempts left, those of forgiven errors too', () => {
  const failures = [
    { attempts: 1, retryable: 5, account: 3, client: 2 },
    { attempts: 3, retryable: 7, account: 1, client: 1 },
  ];
  const ledger = { owed: { records: 9 }, failures };
  expect(owedUnder(ledger, { maxAttempts: 3 })).toBe(5);
  expect(owedUnder(ledger, { maxAttempts: 3, forgiven: 'account' })).toBe(8);
  expect(owedUnder(ledger, { maxAttempts: 4, forgiven: 'client' })).toBe(19);
  // A ledger of an earlier version, which does not tell them apart.
  expect(owedUnder({ owed: { records: 9 } }, { maxAttempts: 1 })).toBe(9);
});
