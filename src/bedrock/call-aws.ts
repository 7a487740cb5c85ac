import {
  AccessDeniedError,
  CredentialsError,
  DeploymentError,
  InvalidRunInputError,
  ObjectNotFoundError,
  QuarryError,
  ServiceUnavailableError,
} from '../core/errors.ts';
import {
  accessAdvice,
  faultKindOf,
  isCredentialsFault,
  type ServiceFault,
} from '../core/jobs/service-fault.ts';

/** What a call to AWS is for, and the right that it needs. */
export interface AwsCall {
  /** Completes "Could not …". */
  doing: string;
  /** IAM action, like `states:StartExecution`. */
  action: string;
}

/** Carries out a call; what AWS, the SDK or the network say against it is thrown as one of our own errors. */
export async function callAws<T>(call: AwsCall, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw toAwsError(error, call);
  }
}

/** Names that a host has not: the network is down, or the region is none. */
const UNKNOWN_HOST = new Set(['ENOTFOUND', 'EAI_AGAIN']);

/** The named error for what a call threw; anything unknown is handed back as it is. */
export function toAwsError(error: unknown, { doing, action }: AwsCall): unknown {
  if (error instanceof QuarryError) return error;
  const fault = error as ServiceFault;
  const { name = 'Error', message = '', code = '' } = fault;
  const text = `Could not ${doing}: ${(message || name).replace(/\.$/, '')}.`;
  const options = { cause: error };
  if (message === 'Region is missing') {
    return new InvalidRunInputError(
      'No AWS region is set. Set AWS_REGION, or a region in your profile (aws configure), or give --region.',
      options,
    );
  }
  if (name === 'ExecutionDoesNotExist') return new ObjectNotFoundError(text, options);
  if (name === 'StateMachineDoesNotExist' || name === 'StateMachineDeleting') {
    return new DeploymentError(`${text} Deploy the stack again: npm run cdk deploy.`, options);
  }
  switch (faultKindOf(fault)) {
    case 'denied':
      return isCredentialsFault(fault)
        ? new CredentialsError(`${text}${accessAdvice(fault)}`, options)
        : new AccessDeniedError(`${text} Allow ${deniedActionOf(message) ?? action}.`, options);
    case 'not_found':
      return new ObjectNotFoundError(text, options);
    case 'throttled':
    case 'unavailable':
      return new ServiceUnavailableError(
        UNKNOWN_HOST.has(code) || UNKNOWN_HOST.has(name)
          ? `${text} Is there a network, and is that a region of AWS?`
          : text,
        options,
      );
    case 'other':
      return error;
  }
}

/** The action that a refusal names itself: it may be another one than the call's. */
function deniedActionOf(message: string): string | undefined {
  return /not authorized to perform:? ([a-zA-Z0-9-]+:[a-zA-Z]+)/.exec(message)?.[1];
}
