import { expect, test } from 'vitest';
import { callAws } from '../../src/bedrock/call-aws.ts';
import { ObjectNotFoundError } from '../../src/core/errors.ts';

const CALL = { doing: 'start the execution jokes', action: 'states:StartExecution' };

function fault(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}

test.each([
  [
    'a missing right is named',
    fault(
      'AccessDeniedException',
      'User: arn:aws:iam::1:user/a is not authorized to perform: states:DescribeExecution on resource: x',
    ),
    'AccessDeniedError: Could not start the execution jokes: User: arn:aws:iam::1:user/a is not authorized to perform: states:DescribeExecution on resource: x. Allow states:DescribeExecution.',
  ],
  [
    'a missing right that the service does not name is the call’s own',
    fault('AccessDenied', 'Access denied.'),
    'AccessDeniedError: Could not start the execution jokes: Access denied. Allow states:StartExecution.',
  ],
  [
    'expired credentials ask to sign in again',
    fault('ExpiredTokenException', 'The security token included in the request is expired'),
    'CredentialsError: Could not start the execution jokes: The security token included in the request is expired. The credentials have expired: sign in again.',
  ],
  [
    'no credentials say how to get some',
    fault('CredentialsProviderError', 'Could not load credentials from any providers'),
    'CredentialsError: Could not start the execution jokes: Could not load credentials from any providers. No usable AWS credentials were found: sign in, and name the profile with AWS_PROFILE or --profile.',
  ],
  [
    'no region says where to set one',
    new Error('Region is missing'),
    'InvalidRunInputError: No AWS region is set. Set AWS_REGION, or a region in your profile (aws configure), or give --region.',
  ],
  [
    'a host without an address may be a region that is none',
    fault('Error', 'getaddrinfo ENOTFOUND states.us-east-9.amazonaws.com', { code: 'ENOTFOUND' }),
    'ServiceUnavailableError: Could not start the execution jokes: getaddrinfo ENOTFOUND states.us-east-9.amazonaws.com. Is there a network, and is that a region of AWS?',
  ],
  [
    'throttling may be tried again',
    fault('ThrottlingException', 'Rate exceeded'),
    'ServiceUnavailableError: Could not start the execution jokes: Rate exceeded.',
  ],
  [
    'a state machine that is gone has to be deployed again',
    fault('StateMachineDoesNotExist', "State Machine Does Not Exist: 'x'"),
    "DeploymentError: Could not start the execution jokes: State Machine Does Not Exist: 'x'. Deploy the stack again: npm run cdk deploy.",
  ],
  [
    'an execution that is gone is not there',
    fault('ExecutionDoesNotExist', "Execution Does Not Exist: 'x'"),
    "ObjectNotFoundError: Could not start the execution jokes: Execution Does Not Exist: 'x'.",
  ],
  [
    'any other 404 is not there either',
    fault('ResourceNotFound', 'No.', { $metadata: { httpStatusCode: 404 } }),
    'ObjectNotFoundError: Could not start the execution jokes: No.',
  ],
])('%s', async (_, error, expected) => {
  const thrown = await callAws(CALL, () => Promise.reject(error)).catch((it: Error) => it);
  expect(String(thrown)).toBe(expected);
});

test('what is not known, and what has a name of ours already, is handed on as it is', async () => {
  const unknown = fault('ValidationException', 'No.');
  await expect(callAws(CALL, () => Promise.reject(unknown))).rejects.toBe(unknown);
  const own = new ObjectNotFoundError('There is no object.');
  await expect(callAws(CALL, () => Promise.reject(own))).rejects.toBe(own);
});
