import {
  AccessDeniedError,
  BedrockThrottledError,
  JobQuotaExceededError,
  ObjectNotFoundError,
  type QuarryError,
  ServiceUnavailableError,
} from '../core/errors.ts';

/** What a failed call to AWS looks like from outside. */
interface ServiceFault {
  name?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

/** Names of the errors that say "not allowed", or "who are you". */
const ACCESS_ERRORS = new Set([
  'AccessDeniedException',
  'AccessDenied',
  'UnrecognizedClientException',
  'ExpiredTokenException',
  'ExpiredToken',
  'InvalidSignatureException',
  'CredentialsProviderError',
]);

/** The named error for what the AWS SDK threw; `doing` completes "Could not …". */
export function toQuarryError(error: unknown, doing: string): QuarryError {
  const { name = 'Error', message = '', $metadata } = error as ServiceFault;
  const status = $metadata?.httpStatusCode;
  const text = `Could not ${doing}: ${message || name}`;
  const options = { cause: error };
  if (name === 'ServiceQuotaExceededException') return new JobQuotaExceededError(text, options);
  if (name === 'ThrottlingException' || name === 'TooManyRequestsException' || status === 429) {
    return new BedrockThrottledError(text, options);
  }
  if (ACCESS_ERRORS.has(name)) return new AccessDeniedError(text, options);
  if (name === 'ResourceNotFoundException') return new ObjectNotFoundError(text, options);
  return new ServiceUnavailableError(text, options);
}
