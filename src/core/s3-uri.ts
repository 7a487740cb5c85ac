import { InvalidRunInputError } from './errors.ts';

/** `s3://bucket/key`; on the local target the same name stands for a file below the store's directory. */
export type S3Uri = `s3://${string}`;

/** A bucket and a key; the key of a bucket's root is empty. */
export interface S3Location {
  bucket: string;
  key: string;
}

/**
 * What Bedrock accepts as `s3Uri` of a job: no `=`, space, `@` or `//`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ModelInvocationJobS3InputDataConfig.html
 */
export const BEDROCK_S3_URI_PATTERN =
  /^s3:\/\/[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](?:\/[-!_*'().a-z0-9A-Z]+(?:\/[-!_*'().a-z0-9A-Z]+)*)?\/?$/;

const SCHEME = 's3://';
/** A bucket’s name. https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
export const BUCKET_PATTERN = /^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$/;

/** Splits an S3 URI; throws InvalidRunInputError for anything else. */
export function parseS3Uri(uri: string): S3Location {
  const slash = uri.indexOf('/', SCHEME.length);
  const bucket = uri.slice(SCHEME.length, slash === -1 ? undefined : slash);
  if (!uri.startsWith(SCHEME) || !BUCKET_PATTERN.test(bucket)) {
    throw new InvalidRunInputError(
      `"${uri}" is not an S3 URI. Write s3://bucket/key, with a bucket name of 3 to 63 lower-case letters, digits, "-" or ".".`,
    );
  }
  return { bucket, key: slash === -1 ? '' : uri.slice(slash + 1) };
}

/** The URI of a bucket and key. */
export function toS3Uri({ bucket, key }: S3Location): S3Uri {
  return `s3://${bucket}/${key}`;
}

/** `base` with `path` appended, with exactly one `/` between them. */
export function joinS3Uri(base: S3Uri, ...path: string[]): S3Uri {
  return `${base.replace(/\/+$/, '')}/${path.join('/')}` as S3Uri;
}
