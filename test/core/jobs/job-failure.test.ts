import { expect, test } from 'vitest';
import { accessFailureText, isAccessFailure } from '../../../src/core/jobs/job-failure.ts';

test.each([
  ['Could not validate GetObject permissions to access Amazon S3 bucket: b', true],
  ["Customer doesn't have permissions to invokeModel", true],
  ['The ciphertext refers to a KMS key that does not exist', true],
  ['The service had an internal error.', false],
  ['', false],
])('%j speaks of rights: %s', (message, isAccess) => {
  expect(isAccessFailure(message)).toBe(isAccess);
});

test('what a role lacks is named: the model and its profile, or S3 and the keys', () => {
  expect(accessFailureText("Customer doesn't have permissions to invokeModel")).toBe(
    "Customer doesn't have permissions to invokeModel. Allow the service role bedrock:InvokeModel on the inference profile, if the run uses one, and on the model in every region of it.",
  );
  expect(accessFailureText('Could not validate GetObject permissions')).toBe(
    'Could not validate GetObject permissions. Check what the service role may read and write in S3, and whether it may use the KMS keys.',
  );
});
