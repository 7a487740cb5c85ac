import {
  AccessDeniedError,
  CredentialsError,
  InvalidRunInputError,
  ObjectNotFoundError,
  ServiceUnavailableError,
} from '../core/errors.ts';
import {
  accessAdvice,
  faultKindOf,
  isCredentialsFault,
  type ServiceFault,
} from '../core/jobs/service-fault.ts';
import { parseS3Uri } from '../core/s3-uri.ts';

/** What is known of the request that failed. */
export interface S3Request {
  uri: string;
  /** Completes "Could not …". */
  doing: string;
  /** Account that the bucket was expected to belong to. */
  expectedOwner?: string | undefined;
}

/** What S3 adds to its errors. */
interface S3Fault extends ServiceFault {
  $response?: { headers?: Record<string, string> };
  Region?: string;
}

/** Names of the errors that a request to the wrong region gets. */
const ELSEWHERE = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'];

/** The named error for what S3 or the SDK threw; anything unknown is handed back as it is. */
export function toS3Error(error: unknown, { uri, doing, expectedOwner }: S3Request): unknown {
  const fault = error as S3Fault;
  const { name = 'Error', message = '', $metadata } = fault;
  const { bucket } = parseS3Uri(uri);
  const options = { cause: error };
  const text = `Could not ${doing} ${uri}: ${(message || name).replace(/\.$/, '')}`;
  if (name === 'NoSuchBucket') {
    return new ObjectNotFoundError(`There is no bucket "${bucket}" (${uri}).`, options);
  }
  if (ELSEWHERE.includes(name) || $metadata?.httpStatusCode === 301) {
    const region = fault.Region ?? fault.$response?.headers?.['x-amz-bucket-region'] ?? 'another region';
    return new InvalidRunInputError(
      `The bucket "${bucket}" is in ${region}, and this run is not. Run there (--region, AWS_REGION), or copy the data: Bedrock and Step Functions take buckets of their own region only.`,
      options,
    );
  }
  if (/^KMS\.|\bkms:|\bKMS\b/.test(`${name} ${message}`)) {
    return new AccessDeniedError(
      `${text}. The bucket "${bucket}" is encrypted with a KMS key: whoever reads needs kms:Decrypt on that key, whoever writes kms:GenerateDataKey and kms:Decrypt, in their own policy and in the key's.`,
      options,
    );
  }
  switch (faultKindOf(fault)) {
    case 'denied': {
      if (isCredentialsFault(fault)) return new CredentialsError(`${text}.${accessAdvice(fault)}`, options);
      // S3 says 403 to a wrong owner, to a missing right, and for a missing object to whoever may not list.
      const advice =
        accessAdvice(fault) ||
        ` Allow the S3 actions on "${bucket}", s3:ListBucket among them${
          expectedOwner === undefined ? '' : `, and check that it belongs to account ${expectedOwner}`
        }.`;
      return new AccessDeniedError(`${text}.${advice}`, options);
    }
    case 'not_found':
      return new ObjectNotFoundError(`There is no object ${uri}.`, options);
    case 'throttled':
      return new ServiceUnavailableError(`${text}. S3 asks to slow down: try again later.`, options);
    case 'unavailable':
      return new ServiceUnavailableError(`${text}${networkAdvice(fault)}`, options);
    case 'other':
      return error;
  }
}

/** What to look at where nobody answered. */
function networkAdvice({ name = '', code = name, $metadata }: ServiceFault): string {
  if (code === 'ENOTFOUND') return '. Is the region written right, and is there a network?';
  return $metadata?.httpStatusCode === undefined ? '' : '. S3 has a problem of its own: try again later.';
}
