import { isServerError, isThrottlingError, isTransientError } from '@smithy/core/retry';

/** What the SDK takes for an error of its own. */
type SdkError = Parameters<typeof isTransientError>[0];

/** What a failed call to AWS looks like from outside. */
export interface ServiceFault {
  name?: string;
  message?: string;
  /** Of Node's own network errors: ECONNRESET and the like. */
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** What a failed call to AWS means for whoever called. */
export type FaultKind = 'denied' | 'not_found' | 'throttled' | 'unavailable' | 'other';

/** Names of the errors that say "not allowed". */
const REFUSALS = ['AccessDenied', 'AccessDeniedException', 'AllAccessDisabled'];

/** Names of the errors that ask "who are you": no policy helps. */
const CREDENTIALS_ERRORS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'InvalidToken',
  'MissingAuthenticationTokenException',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'TokenRefreshRequired',
  'UnrecognizedClientException',
  // The SDK's own, before any request: no credentials, an expired SSO session, no region.
  'CredentialsProviderError',
  'TokenProviderError',
]);

const ACCESS_ERRORS = new Set([...REFUSALS, ...CREDENTIALS_ERRORS]);

/** What the SDK would not try again and may succeed later all the same: the network and streams broke off, or S3 said so. */
const BROKEN_OFF = new Set([
  'AbortError',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'IncompleteBody',
  'InternalError',
]);

/** Names of the errors for expired credentials: signing in again helps, a policy does not. */
const EXPIRED_ERRORS = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);

/** Sorts what the AWS SDK threw as the SDK itself does; what it does not know is sorted by name and HTTP status. */
export function faultKindOf(fault: ServiceFault): FaultKind {
  const { name = '', message = '', code = '', $metadata } = fault;
  // The SDK tries a refusal again where a clock may be wrong; whoever asks here is told of the refusal.
  if (ACCESS_ERRORS.has(name)) return 'denied';
  if (BROKEN_OFF.has(name) || BROKEN_OFF.has(code)) return 'unavailable';
  // Bedrock's runtime is called by HTTP/2.
  if (code.startsWith('ERR_HTTP2_')) return 'unavailable';
  const error = Object.assign(new Error(message), { name, code, $metadata: $metadata ?? {} }) as SdkError;
  if (isThrottlingError(error)) return 'throttled';
  // Node gives its own errors the code as a name, where they went through a stream.
  if (isTransientError(error) || isTransientError({ ...error, code: name } as SdkError)) return 'unavailable';
  const status = $metadata?.httpStatusCode;
  if (status === undefined) return 'other';
  if (isServerError(error)) return 'unavailable';
  if (status === 404) return 'not_found';
  return status === 401 || status === 403 ? 'denied' : 'other';
}

/** True where a refusal is for want of credentials that AWS accepts. */
export function isCredentialsFault({ name = '', message = '' }: ServiceFault): boolean {
  return CREDENTIALS_ERRORS.has(name) || /security token .* expired/i.test(message);
}

/** What to do about a refused call, as far as its name tells; empty where it tells nothing. */
export function accessAdvice({ name = '', message = '' }: ServiceFault): string {
  if (EXPIRED_ERRORS.has(name) || /expired/i.test(message)) {
    return ' The credentials have expired: sign in again.';
  }
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return ' No usable AWS credentials were found: sign in, and name the profile with AWS_PROFILE or --profile.';
  }
  if (name === 'RequestTimeTooSkewed') return ' The clock of this machine is wrong.';
  if (CREDENTIALS_ERRORS.has(name)) {
    return ' AWS does not accept these credentials: check AWS_PROFILE or the keys in use.';
  }
  return '';
}
