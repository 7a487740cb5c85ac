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

/** Names of the errors that ask to slow down. */
const THROTTLING_ERRORS = new Set([
  'RequestLimitExceeded',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** The SDK's and Node's names for a network that failed. */
const NETWORK_ERRORS = new Set([
  'AbortError',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
  'IncompleteBody',
  'InternalError',
  'RequestTimeout',
  'RequestTimeoutException',
  'TimeoutError',
]);

/** Names of the errors for expired credentials: signing in again helps, a policy does not. */
const EXPIRED_ERRORS = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired']);

/** Sorts what the AWS SDK threw, by the service's own name first and the HTTP status after that. */
export function faultKindOf({ name = '', code = '', $metadata }: ServiceFault): FaultKind {
  const status = $metadata?.httpStatusCode;
  if (ACCESS_ERRORS.has(name)) return 'denied';
  if (THROTTLING_ERRORS.has(name) || status === 429) return 'throttled';
  if (NETWORK_ERRORS.has(name) || NETWORK_ERRORS.has(code)) return 'unavailable';
  // Bedrock's runtime is called by HTTP/2.
  if (code.startsWith('ERR_HTTP2_')) return 'unavailable';
  if (status === undefined) return 'other';
  if (status >= 500) return 'unavailable';
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
