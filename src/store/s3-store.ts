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
  return {
    head: (uri) => headObject(source, uri),
    list: (prefix) => listObjects(source, prefix),
    listFolders: (folder) => listFolders(source, folder),
    read: (uri) => readObject(uri, source),
    readStream: async (uri, range) =>
      Readable.from(await openObject(uri, source, range), { objectMode: false }),
    write: (uri, body) =>
      attempt(source, { uri, doing: 'write' }, async () => {
        await client.send(
          new PutObjectCommand({ ...at(source, uri), ...wholeBody(body), ...contentTypeOf(uri) }),
        );
      }),
    writeIfAbsent: async (uri, body) =>
      (await replaceObject(source, uri, { body, etag: undefined })) !== undefined,
    readTagged: (uri) => readTagged(source, uri),
    replace: (uri, replacement) => replaceObject(source, uri, replacement),
    identityOf: async ({ etag }) => etag,
    putFile: (path, uri) => putFile(source, path, uri),
    fetchFile: async (uri, known) => {
      const object = known ?? requireObject(await headObject(source, uri), uri);
      return downloadObject(object, source, scratchDirectory);
    },
    delete: (uri) =>
      attempt(source, { uri, doing: 'delete' }, async () => {
        await client.send(new DeleteObjectCommand(at(source, uri)));
      }),
  };
}

/** Bucket, key and owner of a URI, as every request takes them. */
function at({ expectedOwnerOf }: S3Source, uri: S3Uri) {
  const { bucket, key } = parseS3Uri(uri);
  return { Bucket: bucket, Key: key, ExpectedBucketOwner: expectedOwnerOf(bucket) };
}

async function attempt<T>(
  source: S3Source,
  { uri, doing }: { uri: S3Uri; doing: string },
  request: () => Promise<T>,
): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw toS3Error(error, { uri, doing, expectedOwner: at(source, uri).ExpectedBucketOwner });
  }
}

async function headObject(source: S3Source, uri: S3Uri): Promise<ObjectInfo | undefined> {
  const found = await requestHead(source, uri);
  return found && { uri, size: found.ContentLength ?? 0, etag: found.ETag ?? '' };
}

function requestHead(source: S3Source, uri: S3Uri): Promise<HeadObjectCommandOutput | undefined> {
  return attempt(source, { uri, doing: 'look at' }, async () => {
    try {
      return await source.client.send(new HeadObjectCommand(at(source, uri)));
    } catch (error) {
      if ((error as Error).name !== 'NoSuchBucket' && statusOf(error) === 404) return undefined;
      throw await reasonOf(source, uri, error);
    }
  });
}

/** What S3 has against a request, whose HEAD it refused with a number only: an answer to a HEAD has no words. */
async function reasonOf(source: S3Source, uri: S3Uri, error: unknown): Promise<unknown> {
  if (![301, 400, 403].includes(statusOf(error) ?? 0)) return error;
  const { Key, ...bucket } = at(source, uri);
  const listing = source.client.send(new ListObjectsV2Command({ ...bucket, Prefix: Key, MaxKeys: 1 }));
  return listing.then(
    () => error,
    (reason: unknown) => reason,
  );
}

/** The pages of a listing; with a delimiter, what is below the next `/` is one common prefix. */
async function* pagesOf(
  source: S3Source,
  prefix: S3Uri,
  delimiter?: '/',
): AsyncGenerator<ListObjectsV2CommandOutput> {
  const { Key, ...bucket } = at(source, prefix);
  let token: string | undefined;
  do {
    const request = new ListObjectsV2Command({
      ...bucket,
      Prefix: Key,
      Delimiter: delimiter,
      ContinuationToken: token,
      // XML cannot hold every character that a key can.
      EncodingType: 'url',
    });
    const page: ListObjectsV2CommandOutput = await attempt(source, { uri: prefix, doing: 'list' }, () =>
      source.client.send(request),
    );
    yield page;
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

async function* listObjects(source: S3Source, prefix: S3Uri): AsyncGenerator<ObjectInfo> {
  for await (const { Contents = [] } of pagesOf(source, prefix)) {
    for (const { Key, Size = 0, ETag = '' } of Contents) {
      yield { uri: uriOf(prefix, Key), size: Size, etag: ETag };
    }
  }
}

async function* listFolders(source: S3Source, folder: S3Uri): AsyncGenerator<S3Uri> {
  for await (const { CommonPrefixes = [] } of pagesOf(source, folder, '/')) {
    for (const { Prefix } of CommonPrefixes) yield uriOf(folder, Prefix);
  }
}

/** A listed key as a URI. */
function uriOf(prefix: S3Uri, key = ''): S3Uri {
  return `s3://${parseS3Uri(prefix).bucket}/${decodeURIComponent(key.replaceAll('+', ' '))}`;
}

function readTagged(source: S3Source, uri: S3Uri): Promise<TaggedObject | undefined> {
  return attempt(source, { uri, doing: 'read' }, async () => {
    try {
      const { Body, ETag = '' } = await source.client.send(new GetObjectCommand(at(source, uri)));
      return Body && { body: await Body.transformToByteArray(), etag: ETag };
    } catch (error) {
      if ((error as Error).name === 'NoSuchKey') return undefined;
      throw error;
    }
  });
}

async function replaceObject(
  source: S3Source,
  uri: S3Uri,
  { body, etag }: Replacement,
): Promise<string | undefined> {
  const writeId = randomUUID();
  const request = {
    ...at(source, uri),
    ...wholeBody(body),
    ...(etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    Metadata: { [WRITE_ID]: writeId },
  };
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    try {
      const { ETag = '' } = await source.client.send(new PutObjectCommand(request));
      return ETag;
    } catch (error) {
      const status = statusOf(error);
      // The answer to our own write may have been lost, and its repetition found what it wrote.
      if (status === 412) {
        const found = await requestHead(source, uri);
        return found?.Metadata?.[WRITE_ID] === writeId ? found.ETag : undefined;
      }
      // What was to be replaced is gone.
      if (status === 404 && etag !== undefined && (error as Error).name !== 'NoSuchBucket') return undefined;
      // Two writes at once: one of them has to be repeated.
      if (status !== 409) {
        throw toS3Error(error, { uri, doing: 'write', expectedOwner: at(source, uri).ExpectedBucketOwner });
      }
    }
  }
  throw new ServiceUnavailableError(`Could not write ${uri}: others write it again and again.`);
}

async function putFile({ client, expectedOwnerOf }: S3Source, path: string, uri: S3Uri): Promise<void> {
  const { size } = await stat(path);
  const expectedOwner = expectedOwnerOf(parseS3Uri(uri).bucket);
  await uploadStream(createReadStream(path), { client, uri, size, expectedOwner });
  await rm(path);
}

function statusOf(error: unknown): number | undefined {
  return (error as ServiceFault).$metadata?.httpStatusCode;
}

/** A body of known length; the SDK takes an empty text for a stream. */
/** A page is shown by browsers that are sent to its object, and not downloaded. */
function contentTypeOf(uri: S3Uri): { ContentType?: string } {
  return uri.endsWith('.html') ? { ContentType: 'text/html; charset=utf-8' } : {};
}

function wholeBody(body: string | Uint8Array): { Body: Uint8Array; ContentLength: number } {
  const bytes = Buffer.from(body);
  return { Body: bytes, ContentLength: bytes.length };
}
