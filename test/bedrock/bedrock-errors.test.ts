import { expect, test } from 'vitest';
import { refusalAdvice, toQuarryError } from '../../src/bedrock/bedrock-errors.ts';

function fault(name: string, httpStatusCode: number, message = name): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
}

test.each<[string, Error, string]>([
  ['an exceeded quota', fault('ServiceQuotaExceededException', 400), 'JobQuotaExceededError'],
  [
    'a throttle that speaks of the job quota',
    fault('ThrottlingException', 429, 'You have reached the limit of in-progress jobs.'),
    'JobQuotaExceededError',
  ],
  [
    'a throttle of the call rate',
    fault('ThrottlingException', 429, 'Rate exceeded'),
    'BedrockThrottledError',
  ],
  ['a throttle of another name', fault('TooManyRequestsException', 429), 'BedrockThrottledError'],
  ['a server error', fault('InternalServerException', 500), 'ServiceUnavailableError'],
  ['a model without capacity', fault('ModelNotReadyException', 429), 'ServiceUnavailableError'],
  ['a slow model', fault('ModelTimeoutException', 408), 'ServiceUnavailableError'],
  ['a network that failed', Object.assign(new Error(''), { code: 'ECONNRESET' }), 'ServiceUnavailableError'],
  ['credentials that have expired', fault('ExpiredTokenException', 403), 'CredentialsError'],
  ['a refusal', fault('AccessDeniedException', 403), 'AccessDeniedError'],
  ['a job that does not exist', fault('ResourceNotFoundException', 404), 'ObjectNotFoundError'],
  ['a request that is wrong', fault('ValidationException', 400), 'ValidationException'],
])('%s has its own name', (_, error, name) => {
  expect(toQuarryError(error, 'create the job j')).toMatchObject({ name });
});

test('a refusal says which right is missing', () => {
  const message = (error: Error) => (toQuarryError(error, 'create the job j') as Error).message;
  expect(message(fault('AccessDeniedException', 403, 'is not authorized to perform: iam:PassRole'))).toBe(
    'Could not create the job j: is not authorized to perform: iam:PassRole. Allow iam:PassRole on the service role, for bedrock.amazonaws.com.',
  );
  expect(message(fault('AccessDeniedException', 403, "You don't have access to the model"))).toContain(
    'an administrator invoke the model once in this account and region: the first call subscribes to it',
  );
  expect(message(fault('ExpiredTokenException', 403, 'expired'))).toContain('sign in again');
});

test('a text of the service without a full stop does not run into the advice', () => {
  const error = toQuarryError(
    fault('AccessDeniedException', 403, 'not authorized: iam:PassRole'),
    'create j',
  );
  expect((error as Error).message).toContain('iam:PassRole. Allow iam:PassRole on');
  const throttled = toQuarryError(fault('ThrottlingException', 429, 'Rate exceeded'), 'create j') as Error;
  expect(throttled.message).toBe('Could not create j: Rate exceeded.');
});

test('a role that may not run the model is told the action, and where it is needed', () => {
  expect(refusalAdvice("Customer doesn't have permissions to invokeModel")).toBe(
    ' Allow the service role bedrock:InvokeModel on the inference profile, if the run uses one, and on the model in every region of it.',
  );
  expect(refusalAdvice('The model is not supported.')).toBe('');
});
