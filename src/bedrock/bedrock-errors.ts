import {
  AccessDeniedError,
  BedrockThrottledError,
  CredentialsError,
  JobQuotaExceededError,
  ObjectNotFoundError,
  ServiceUnavailableError,
} from '../core/errors.ts';
import { invocationAdvice } from '../core/jobs/job-failure.ts';
import {
  accessAdvice,
  faultKindOf,
  isCredentialsFault,
  type ServiceFault,
} from '../core/jobs/service-fault.ts';
import { sentenceOf } from '../core/text/sentence.ts';

/**
 * The named error for what the AWS SDK threw; `doing` completes "Could not …". Anything unknown is handed back as
 * it is: what the service does not take today, it will not take after a wait either.
 */
export function toQuarryError(error: unknown, doing: string): unknown {
  const fault = error as ServiceFault;
  const { name = 'Error', message = '' } = fault;
  const text = sentenceOf(`Could not ${doing}: ${message || name}`);
  const options = { cause: error };
  if (isQuotaFault(fault)) return new JobQuotaExceededError(text, options);
  // Bedrock says these where a model has no capacity, or has not been loaded yet.
  if (name === 'ModelNotReadyException' || name === 'ModelTimeoutException') {
    return new ServiceUnavailableError(text, options);
  }
  switch (faultKindOf(fault)) {
    case 'throttled':
      return new BedrockThrottledError(text, options);
    case 'denied':
      return isCredentialsFault(fault)
        ? new CredentialsError(`${text}${accessAdvice(fault)}`, options)
        : new AccessDeniedError(`${text}${permissionAdvice(fault)}`, options);
    case 'not_found':
      return new ObjectNotFoundError(text, options);
    case 'unavailable':
      return new ServiceUnavailableError(text, options);
    case 'other':
      return error;
  }
}

/** True where a job has to wait until another one has ended: under either name, Bedrock has been seen to use. */
function isQuotaFault({ name = '', message = '' }: ServiceFault): boolean {
  if (name === 'ServiceQuotaExceededException') return true;
  return (
    name === 'ThrottlingException' &&
    /quota|limit/i.test(message) &&
    /job|in-progress|submitted/i.test(message)
  );
}

/** What to do about a job that Bedrock refuses to create, as far as its message tells; empty where it tells nothing. */
export function refusalAdvice(message: string): string {
  if (/\brole\b/i.test(message) && /assum|trust/i.test(message)) {
    return ' Let bedrock.amazonaws.com assume the role: its trust policy is in docs/aws.md.';
  }
  return invocationAdvice(message);
}

function permissionAdvice({ message = '' }: ServiceFault): string {
  if (/PassRole/i.test(message)) {
    return ' Allow iam:PassRole on the service role, for bedrock.amazonaws.com.';
  }
  if (/aws-marketplace|access to the model|don't have access|model access/i.test(message)) {
    return ' Let an administrator invoke the model once in this account and region: the first call subscribes to it (aws-marketplace:Subscribe), and Anthropic’s models require a form to be submitted first.';
  }
  return '';
}
