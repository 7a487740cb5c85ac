import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** Attempts for one request, unless AWS_MAX_ATTEMPTS says otherwise: a storm of SlowDown takes a while to pass. */
const MAX_ATTEMPTS = 10;
/** Milliseconds for a connection to be made. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** Milliseconds of silence after which a connection is given up, and the transfer goes on with another. */
const SOCKET_TIMEOUT_MS = 30_000;

/** An S3 client that slows down when asked to, and gives up neither at the first error nor never. */
export function createS3Client(overrides: S3ClientConfig = {}): S3Client {
  return new S3Client({
    retryMode: 'adaptive',
    ...(process.env.AWS_MAX_ATTEMPTS === undefined ? { maxAttempts: MAX_ATTEMPTS } : {}),
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    ...overrides,
  });
}
