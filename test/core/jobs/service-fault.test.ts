import { expect, test } from 'vitest';
import {
  accessAdvice,
  type FaultKind,
  faultKindOf,
  isCredentialsFault,
  type ServiceFault,
} from '../../../src/core/jobs/service-fault.ts';

test.each<[string, ServiceFault, FaultKind]>([
  ['a refusal by name', { name: 'AccessDenied', $metadata: { httpStatusCode: 400 } }, 'denied'],
  [
    'a refusal by status, as a HEAD has it',
    { name: 'Unknown', $metadata: { httpStatusCode: 403 } },
    'denied',
  ],
  ['a request without an identity', { $metadata: { httpStatusCode: 401 } }, 'denied'],
  ['a request to slow down', { name: 'SlowDown', $metadata: { httpStatusCode: 503 } }, 'throttled'],
  ['a throttle by status alone', { $metadata: { httpStatusCode: 429 } }, 'throttled'],
  ['a server error that nobody knows', { $metadata: { httpStatusCode: 501 } }, 'unavailable'],
  ['a connection that was broken off', { name: 'Error', code: 'ERR_STREAM_PREMATURE_CLOSE' }, 'unavailable'],
  ['a server error', { $metadata: { httpStatusCode: 500 } }, 'unavailable'],
  ['a network that is not there', { name: 'Error', code: 'ECONNREFUSED' }, 'unavailable'],
  ['a broken HTTP/2 session', { name: 'Error', code: 'ERR_HTTP2_ERROR' }, 'unavailable'],
  ['a timeout of the SDK', { name: 'TimeoutError' }, 'unavailable'],
  ['something that is not there', { name: 'NotFound', $metadata: { httpStatusCode: 404 } }, 'not_found'],
  ['a request that is wrong', { name: 'ValidationException', $metadata: { httpStatusCode: 400 } }, 'other'],
  ['a bug of our own', { name: 'TypeError' }, 'other'],
  ['nothing at all', {}, 'other'],
])('%s', (_, fault, kind) => {
  expect(faultKindOf(fault)).toBe(kind);
});

test('a refusal says what to do, where its name tells', () => {
  expect(accessAdvice({ name: 'ExpiredTokenException' })).toContain('sign in again');
  expect(accessAdvice({ name: 'CredentialsProviderError', message: 'Token is expired' })).toContain(
    'expired',
  );
  expect(accessAdvice({ name: 'CredentialsProviderError' })).toContain('AWS_PROFILE');
  expect(accessAdvice({ name: 'RequestTimeTooSkewed' })).toContain('clock');
  expect(accessAdvice({ name: 'AccessDenied' })).toBe('');
  expect(accessAdvice({ name: 'InvalidClientTokenId' })).toContain('does not accept these credentials');
  expect(accessAdvice({})).toBe('');
});

test('who calls is another question than what they may do', () => {
  expect(isCredentialsFault({ name: 'ExpiredTokenException' })).toBe(true);
  expect(isCredentialsFault({ message: 'The security token included in the request is expired' })).toBe(true);
  expect(isCredentialsFault({ name: 'AccessDenied', message: 'no' })).toBe(false);
  expect(isCredentialsFault({})).toBe(false);
});
