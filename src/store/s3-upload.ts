import type { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { toS3Error } from './s3-errors.ts';

/** Bytes of one part of a multipart upload, unless the file is so large that it would need too many. */
const UPLOAD_PART_BYTES = 16 * 1024 ** 2;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_UPLOAD_PARTS = 10_000;
/** Parts of one file on their way at once. */
const CONCURRENT_UPLOADS = 4;

/** Where an upload goes, and who is told of it. */
export interface S3Upload {
  client: S3Client;
  uri: S3Uri;
  /** Bytes. */
  size: number;
  expectedOwner: string | undefined;
  onProgress?: (doneBytes: number) => void;
  /** Aborted: what is there of the object so far is given up, and the upload rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * Uploads a stream, a large one in parts. The object is there once all of it is: a stream that fails leaves nothing, nor
 * does an upload that is broken off.
 */
export async function uploadStream(
  body: Readable,
  { client, uri, size, expectedOwner, onProgress, signal }: S3Upload,
): Promise<void> {
  const { bucket, key } = parseS3Uri(uri);
  const upload = new Upload({
    client,
    params: { Bucket: bucket, Key: key, ExpectedBucketOwner: expectedOwner, Body: body },
    partSize: Math.max(UPLOAD_PART_BYTES, Math.ceil(size / MAX_UPLOAD_PARTS)),
    queueSize: CONCURRENT_UPLOADS,
  });
  upload.on('httpUploadProgress', ({ loaded = 0 }) => onProgress?.(loaded));
  const onAbort = () => void upload.abort().catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    await upload.done();
  } catch (error) {
    await giveUp(upload, client, uri, expectedOwner);
    signal?.throwIfAborted();
    throw toS3Error(error, { uri, doing: 'write', expectedOwner });
  } finally {
    signal?.removeEventListener('abort', onAbort);
    body.destroy();
  }
}

/**
 * Deletes the parts that went up, which are stored and paid for until somebody does. The library does so where a part fails,
 * not where the end of the upload is refused. As well as it can: the upload failed by another error already.
 */
async function giveUp(
  { uploadId }: Upload,
  client: S3Client,
  uri: S3Uri,
  expectedOwner: string | undefined,
): Promise<void> {
  if (uploadId === undefined) return;
  const { bucket, key } = parseS3Uri(uri);
  await client
    .send(
      new AbortMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        ExpectedBucketOwner: expectedOwner,
      }),
    )
    .catch(() => {});
}
