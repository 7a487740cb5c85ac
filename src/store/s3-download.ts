import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { ObjectNotFoundError, ServiceUnavailableError } from '../core/errors.ts';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { writeWhole } from './file-bytes.ts';
import type { ByteRange, LocalFile, ObjectInfo } from './object-store.ts';
import { toS3Error } from './s3-errors.ts';

/** Connections that may break one after the other without a byte in between. */
const MAX_BREAKS_WITHOUT_PROGRESS = 5;
/** Bytes of one range of a large object. */
const RANGE_BYTES = 16 * 1024 ** 2;
/** Ranges of one object on their way at once. */
const CONCURRENT_RANGES = 8;

/** Where objects are read from. */
export interface S3Source {
  client: S3Client;
  expectedOwnerOf: (bucket: string) => string | undefined;
}

/**
 * Opens an object, or a range of it; rejects at once where there is none. A connection that breaks is made again
 * from the next byte on, for as long as the object is the same one.
 */
export async function openObject(
  uri: S3Uri,
  source: S3Source,
  range?: ByteRange & { etag?: string },
): Promise<AsyncGenerator<Uint8Array>> {
  const first = await getRange(uri, source, {
    ...(range === undefined ? {} : { start: range.start, end: range.end }),
    etag: range?.etag,
  });
  return bytesOf(uri, source, { first, start: range?.start ?? 0 });
}

interface RangeRequest {
  start?: number;
  end?: number;
  etag?: string | undefined;
}

/** Undefined where the range begins behind the object's end. */
async function getRange(
  uri: S3Uri,
  { client, expectedOwnerOf }: S3Source,
  { start, end, etag }: RangeRequest,
): Promise<GetObjectCommandOutput | undefined> {
  const { bucket, key } = parseS3Uri(uri);
  const expectedOwner = expectedOwnerOf(bucket);
  try {
    return await client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ExpectedBucketOwner: expectedOwner,
        ...(start === undefined ? {} : { Range: `bytes=${start}-${end ?? ''}` }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
      }),
    );
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 416) return undefined;
    if (status === 412) {
      throw new ServiceUnavailableError(`${uri} was replaced while it was read. Read it again.`, {
        cause: error,
      });
    }
    throw toS3Error(error, { uri, doing: 'read', expectedOwner });
  }
}

async function* bytesOf(
  uri: S3Uri,
  source: S3Source,
  { first, start }: { first: GetObjectCommandOutput | undefined; start: number },
): AsyncGenerator<Uint8Array> {
  let response = first;
  if (response === undefined) return;
  const etag = response.ETag;
  const end = start + (response.ContentLength ?? 0);
  let position = start;
  let breaks = 0;
  for (;;) {
    const body = response?.Body as Readable | undefined;
    let broken: unknown;
    try {
      const chunks = body?.[Symbol.asyncIterator]();
      while (chunks !== undefined) {
        // Only the connection's errors are caught: whoever takes the bytes keeps their own.
        const next = await chunks.next().catch((error: unknown) => {
          broken = error;
          return { done: true, value: undefined };
        });
        if (next.done) break;
        position += next.value.length;
        breaks = 0;
        yield next.value;
      }
    } finally {
      body?.destroy();
    }
    if (position >= end) return;
    breaks += 1;
    if (breaks > MAX_BREAKS_WITHOUT_PROGRESS) {
      throw new ServiceUnavailableError(
        `Could not read ${uri}: the connection broke ${breaks} times at byte ${position} of ${end}.`,
        { cause: broken },
      );
    }
    response = await getRange(uri, source, { start: position, end: end - 1, etag });
  }
}

/** Downloads an object to a file of its own below `scratchDirectory`, a large one in parallel ranges. */
export async function downloadObject(
  { uri, size, etag }: ObjectInfo,
  source: S3Source,
  scratchDirectory: string,
): Promise<LocalFile> {
  await mkdir(scratchDirectory, { recursive: true });
  const directory = await mkdtemp(join(scratchDirectory, 's3-'));
  const path = join(directory, fileNameOf(uri));
  const discard = () => rm(directory, { recursive: true, force: true });
  try {
    await using file = await open(path, 'w');
    const limit = pLimit(CONCURRENT_RANGES);
    const abort = new AbortController();
    await limit.map(rangesOf(size), async (range) => {
      if (abort.signal.aborted) return;
      try {
        await copyRange({ uri, range, etag }, source, file);
      } catch (error) {
        abort.abort();
        throw error;
      }
    });
  } catch (error) {
    await discard();
    throw toDiskError(error, uri, size);
  }
  return { path, [Symbol.asyncDispose]: discard };
}

async function copyRange(
  { uri, range, etag }: { uri: S3Uri; range: ByteRange; etag: string },
  source: S3Source,
  file: Awaited<ReturnType<typeof open>>,
): Promise<void> {
  let position = range.start;
  for await (const chunk of await openObject(uri, source, { ...range, etag })) {
    await writeWhole(file, chunk, position);
    position += chunk.length;
  }
  if (position !== range.end + 1) {
    throw new ServiceUnavailableError(
      `Could not read ${uri}: bytes ${range.start} to ${range.end} were asked for, but only ${position - range.start} came.`,
    );
  }
}

function rangesOf(size: number): ByteRange[] {
  const ranges: ByteRange[] = [];
  for (let start = 0; start < size; start += RANGE_BYTES) {
    ranges.push({ start, end: Math.min(start + RANGE_BYTES, size) - 1 });
  }
  return ranges;
}

/** The end of the key, which tells the format, in letters that any file system takes. */
function fileNameOf(uri: S3Uri): string {
  const name = parseS3Uri(uri).key.split('/').at(-1) ?? '';
  return `object-${name.replace(/[^\w.-]/g, '_').slice(-100)}`;
}

function toDiskError(error: unknown, uri: S3Uri, size: number): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error;
  return new ServiceUnavailableError(
    `The disk is full: ${uri} (${size} bytes) does not fit. On Lambda, give the function more ephemeral storage, or cut the file up.`,
    { cause: error },
  );
}

/** The whole of a small object. */
export async function readObject(uri: S3Uri, source: S3Source): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await openObject(uri, source)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Throws ObjectNotFoundError where a HEAD found nothing. */
export function requireObject(info: ObjectInfo | undefined, uri: S3Uri): ObjectInfo {
  if (info === undefined) throw new ObjectNotFoundError(`There is no object ${uri}.`);
  return info;
}
