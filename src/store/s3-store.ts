import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ServiceUnavailableError } from '../core/errors.ts';
import type { ServiceFault } from '../core/jobs/service-fault.ts';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import type { ObjectInfo, ObjectStore, Replacement, TaggedObject } from './object-store.ts';
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

  /** The pages of a listing; with a delimiter, what is below the next `/` is one common prefix. */
  async function* pagesOf(prefix: S3Uri, delimiter?: '/'): AsyncGenerator<ListObjectsV2CommandOutput> {
    const { Bucket, Key, ExpectedBucketOwner } = at(prefix);
    let token: string | undefined;
    do {
      const page: ListObjectsV2CommandOutput = await attempt(prefix, 'list', () =>
        client.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix: Key,
            Delimiter: delimiter,
            ExpectedBucketOwner,
            ContinuationToken: token,
            // XML cannot hold every character that a key can.
            EncodingType: 'url',
          }),
        ),
      );
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  const uriOf = (prefix: S3Uri, key = ''): S3Uri =>
    `s3://${parseS3Uri(prefix).bucket}/${decodeURIComponent(key.replaceAll('+', ' '))}`;

  async function* list(prefix: S3Uri): AsyncGenerator<ObjectInfo> {
    for await (const { Contents = [] } of pagesOf(prefix)) {
      for (const { Key, Size = 0, ETag = '' } of Contents) {
        yield { uri: uriOf(prefix, Key), size: Size, etag: ETag };
      }
    }
  }

  async function* listFolders(folder: S3Uri): AsyncGenerator<S3Uri> {
    for await (const { CommonPrefixes = [] } of pagesOf(folder, '/')) {
      for (const { Prefix } of CommonPrefixes) yield uriOf(folder, Prefix);
    }
  }

  const readTagged = (uri: S3Uri): Promise<TaggedObject | undefined> =>
    attempt(uri, 'read', async () => {
      try {
        const { Body, ETag = '' } = await client.send(new GetObjectCommand(at(uri)));
        return Body && { body: await Body.transformToByteArray(), etag: ETag };
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return undefined;
        throw error;
      }
    });

  const replace = async (uri: S3Uri, { body, etag }: Replacement): Promise<string | undefined> => {
    const writeId = randomUUID();
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      try {
        const { ETag = '' } = await client.send(
          new PutObjectCommand({
            ...at(uri),
            ...wholeBody(body),
            ...(etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag }),
            Metadata: { [WRITE_ID]: writeId },
          }),
        );
        return ETag;
      } catch (error) {
        const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
        // The answer to our own write may have been lost, and its repetition found what it wrote.
        if (status === 412) {
          const found = await headObject(uri);
          return found?.Metadata?.[WRITE_ID] === writeId ? found.ETag : undefined;
        }
        // What was to be replaced is gone.
        if (status === 404 && etag !== undefined && (error as Error).name !== 'NoSuchBucket')
          return undefined;
        // Two writes at once: one of them has to be repeated.
        if (status !== 409) {
          throw toS3Error(error, { uri, doing: 'write', expectedOwner: at(uri).ExpectedBucketOwner });
        }
      }
    }
    throw new ServiceUnavailableError(`Could not write ${uri}: other writers kept changing it. Try again.`);
  };

  return {
    head,
    list,
    listFolders,
    read: (uri) => readObject(uri, source),
    readStream: async (uri, range) =>
      Readable.from(await openObject(uri, source, range), { objectMode: false }),
    write: (uri, body) =>
      attempt(uri, 'write', async () => {
        await client.send(new PutObjectCommand({ ...at(uri), ...wholeBody(body) }));
      }),
    writeIfAbsent: async (uri, body) => (await replace(uri, { body, etag: undefined })) !== undefined,
    readTagged,
    replace,
    identityOf: async ({ etag }) => etag,
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
