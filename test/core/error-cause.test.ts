import { expect, test } from 'vitest';
import { messageOfCause } from '../../src/core/error-cause.ts';

test('the message of a cause is that of the error in Lambda’s JSON, or the cause itself', () => {
  expect(messageOfCause('{"errorType":"Error","errorMessage":"the role may not"}')).toBe('the role may not');
  expect(messageOfCause('{"errorType":"Error"}')).toBe('{"errorType":"Error"}');
  expect(messageOfCause('Task timed out')).toBe('Task timed out');
  expect(messageOfCause('')).toBeUndefined();
  expect(messageOfCause(undefined)).toBeUndefined();
});
