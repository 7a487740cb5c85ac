import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ServiceUnavailableError } from '../core/errors.ts';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import type { ServiceFault } from '../core/service-fault.ts';
import type { ObjectInfo, ObjectStore } from './object-store.ts';
import { downloadObject, openObject, readObject, requireObject, type S3Source } from './s3-download.ts';
import { toS3Error } from './s3-errors.ts';
import { uploadStream } from './s3-upload.ts';

/** How a store on S3 is set up. */
export interface S3StoreOptions {
  client: S3Client;
  /** Directory that downloads go to while they are used. */
  scratchDirectory: string;
  /** Account of each bucket that must be somebody's: a bucket that was deleted and taken by others is refused. */
  bucketOwners?: Readonly<Record<string, string>> | undefined;
}

/** Attempts at a conditional write that met another one. */
const MAX_CONFLICTS = 5;
/** User metadata that tells our own write from somebody else's. */
const WRITE_ID = 'quarry-write-id';

/** An object store on Amazon S3. */
export function createS3Store({ client, scratchDirectory, bucketOwners = {} }: S3StoreOptions): ObjectStore {
  const source: S3Source = { client, expectedOwnerOf: (bucket) => bucketOwners[bucket] };

  /** Bucket, key and owner of a URI, as every request takes them. */
  const at = (uri: S3Uri) => {
    const { bucket, key } = parseS3Uri(uri);
    return { Bucket: bucket, Key: key, ExpectedBucketOwner: bucketOwners[bucket] };
  };

  const attempt = async <T>(uri: S3Uri, doing: string, request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      throw toS3Error(error, { uri, doing, expectedOwner: at(uri).ExpectedBucketOwner });
    }
  };

  const headObject = (uri: S3Uri): Promise<HeadObjectCommandOutput | undefined> =>
    attempt(uri, 'look at', async () => {
      try {
        return await client.send(new HeadObjectCommand(at(uri)));
      } catch (error) {
        const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
        if (name !== 'NoSuchBucket' && $metadata?.httpStatusCode === 404) return undefined;
        throw await reasonOf(error, uri);
      }
    });

  /** What S3 has against a request, whose HEAD it refused with a number only: an answer to a HEAD has no words. */
  const reasonOf = async (error: unknown, uri: S3Uri): Promise<unknown> => {
    const status = (error as ServiceFault).$metadata?.httpStatusCode ?? 0;
    if (![301, 400, 403].includes(status)) return error;
    const { Key, ...bucket } = at(uri);
    const listing = client.send(new ListObjectsV2Command({ ...bucket, Prefix: Key, MaxKeys: 1 }));
    return listing.then(
      () => error,
      (reason: unknown) => reason,
    );
  };

  const head = async (uri: S3Uri): Promise<ObjectInfo | undefined> => {
    const found = await headObject(uri);
    return found && { uri, size: found.ContentLength ?? 0, etag: found.ETag ?? '' };
  };

  async function* list(prefix: S3Uri): AsyncGenerator<ObjectInfo> {
    const { Bucket, Key, ExpectedBucketOwner } = at(prefix);
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await attempt(prefix, 'list', () =>
        client.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix: Key,
            ExpectedBucketOwner,
            ContinuationToken: token,
            // XML cannot hold every character that a key can.
            EncodingType: 'url',
          }),
        ),
      );
      for (const { Key: key = '', Size = 0, ETag = '' } of page.Contents ?? []) {
        yield {
          uri: `s3://${Bucket}/${decodeURIComponent(key.replaceAll('+', ' '))}`,
          size: Size,
          etag: ETag,
        };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  const writeIfAbsent = async (uri: S3Uri, body: string | Uint8Array): Promise<boolean> => {
    const writeId = randomUUID();
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      try {
        await client.send(
          new PutObjectCommand({
            ...at(uri),
            ...wholeBody(body),
            IfNoneMatch: '*',
            Metadata: { [WRITE_ID]: writeId },
          }),
        );
        return true;
      } catch (error) {
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
        // The answer to our own write may have been lost, and its repetition found what it wrote.
        if (status === 412) return (await headObject(uri))?.Metadata?.[WRITE_ID] === writeId;
        // Two writes at once: one of them has to be repeated.
        if (status !== 409) {
          throw toS3Error(error, { uri, doing: 'write', expectedOwner: at(uri).ExpectedBucketOwner });
        }
      }
    }
    throw new ServiceUnavailableError(`Could not write ${uri}: others write it again and again.`);
  };

  return {
    head,
    list,
    read: (uri) => readObject(uri, source),
    readStream: async (uri, range) =>
      Readable.from(await openObject(uri, source, range), { objectMode: false }),
    write: (uri, body) =>
      attempt(uri, 'write', async () => {
        await client.send(new PutObjectCommand({ ...at(uri), ...wholeBody(body) }));
      }),
    writeIfAbsent,
    putFile: async (path, uri) => {
      const { size } = await stat(path);
      await uploadStream(createReadStream(path), {
        client,
        uri,
        size,
        expectedOwner: source.expectedOwnerOf(parseS3Uri(uri).bucket),
      });
      await rm(path);
    },
    fetchFile: async (uri) => downloadObject(requireObject(await head(uri), uri), source, scratchDirectory),
    delete: (uri) =>
      attempt(uri, 'delete', async () => {
        await client.send(new DeleteObjectCommand(at(uri)));
      }),
  };
}

/** A body of known length; the SDK takes an empty text for a stream. */
function wholeBody(body: string | Uint8Array): { Body: Uint8Array; ContentLength: number } {
  const bytes = Buffer.from(body);
  return { Body: bytes, ContentLength: bytes.length };
}
