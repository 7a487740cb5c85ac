import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { type S3Double, type S3Fault, type S3Request, startS3Double } from '../support/s3-double.ts';

const OWNER = '111122223333';
let double: S3Double;
let directory: string;
let store: ObjectStore;

beforeEach(async () => {
  double = await startS3Double();
  directory = await mkdtemp(join(tmpdir(), 'quarry-s3-'));
  store = storeAt(double.url);
});

afterEach(async () => {
  await double[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function storeAt(endpoint: string): ObjectStore {
  const client = createS3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    retryMode: 'standard',
    // As many attempts as in earnest, without the waits.
    retryStrategy: quickRetries(10),
  });
  return createS3Store({ client, scratchDirectory: directory, bucketOwners: { bucket: OWNER } });
}

function quickRetries(maxAttempts: number) {
  const token = (count: number) => ({ getRetryCount: () => count, getRetryDelay: () => 0 });
  return {
    acquireInitialRetryToken: async () => token(0),
    refreshRetryTokenForRetry: async (
      last: { getRetryCount(): number },
      { errorType }: { errorType: string },
    ) => {
      const count = last.getRetryCount() + 1;
      if (count >= maxAttempts || errorType === 'CLIENT_ERROR') throw new Error('No retry is left.');
      return token(count);
    },
    recordSuccess: () => {},
  };
}

/** Applies a fault to the first `times` requests that it fits. */
function failing(times: number, fault: S3Fault, fits: (request: S3Request) => boolean = () => true) {
  let left = times;
  return (request: S3Request): S3Fault | undefined => {
    if (left === 0 || !fits(request)) return undefined;
    left -= 1;
    return fault;
  };
}

test('what is written is read back, and every request names the account that the bucket must belong to', async () => {
  await store.write('s3://bucket/folder/a b+ü.txt', 'text');
  expect(new TextDecoder().decode(await store.read('s3://bucket/folder/a b+ü.txt'))).toBe('text');
  expect(await store.head('s3://bucket/folder/a b+ü.txt')).toMatchObject({ size: 4 });
  await store.delete('s3://bucket/folder/a b+ü.txt');
  expect(await store.head('s3://bucket/folder/a b+ü.txt')).toBeUndefined();
  expect(double.requests.map(({ headers }) => headers['x-amz-expected-bucket-owner'])).toEqual(
    double.requests.map(() => OWNER),
  );
});

test('a page is an HTML document to whoever opens its object', async () => {
  await store.write('s3://bucket/report.html', '<!doctype html>');
  await store.write('s3://bucket/summary.json', '{}');
  expect(double.requests.map(({ headers }) => headers['content-type'])).toEqual([
    'text/html; charset=utf-8',
    'application/octet-stream',
  ]);
});

test('a listing goes through all pages, in the order of UTF-8 bytes', async () => {
  const keys = ['a', 'a-b', 'a/b', 'a/b c+d', 'aé', 'a\u{1F600}', 'a\uFF5E'];
  for (const key of keys) await store.write(`s3://bucket/x/${key}`, key);
  await store.write('s3://bucket/y', 'elsewhere');
  const listed = (await Array.fromAsync(store.list('s3://bucket/x/a'))).map(({ uri }) => uri);
  const sorted = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  expect(listed).toEqual(sorted.map((key) => `s3://bucket/x/${key}`));
});

test('an object that is there is not written again, and the first writer is told so', async () => {
  expect(await store.writeIfAbsent('s3://bucket/lock', 'first')).toBe(true);
  expect(await store.writeIfAbsent('s3://bucket/lock', 'second')).toBe(false);
  expect(double.objects.get('bucket/lock')?.toString()).toBe('first');
});

test('a conditional write whose answer was lost is known to be our own', async () => {
  double.fault = failing(1, { loseAnswer: true }, ({ method }) => method === 'PUT');
  expect(await store.writeIfAbsent('s3://bucket/lock', 'mine')).toBe(true);
  expect(double.requests.filter(({ method }) => method === 'PUT')).toHaveLength(2);
});

test('a conditional write that meets another one is tried again', async () => {
  double.fault = failing(2, { status: 409, code: 'ConditionalRequestConflict' });
  expect(await store.writeIfAbsent('s3://bucket/lock', 'mine')).toBe(true);
  double.fault = failing(99, { status: 409, code: 'ConditionalRequestConflict' });
  await expect(store.writeIfAbsent('s3://bucket/other', 'mine')).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
  });
});

test('a stream gives a range, and ends at the end of the object', async () => {
  await store.write('s3://bucket/digits', '0123456789');
  const read = async (range?: { start: number; end: number }) =>
    Buffer.concat(await Array.fromAsync(await store.readStream('s3://bucket/digits', range))).toString();
  expect(await read()).toBe('0123456789');
  expect(await read({ start: 3, end: 5 })).toBe('345');
  expect(await read({ start: 8, end: 99 })).toBe('89');
  expect(await read({ start: 10, end: 99 })).toBe('');
});

test.each([
  { status: 500, code: 'InternalError' },
  { status: 503, code: 'ServiceUnavailable' },
  { status: 503, code: 'SlowDown' },
])('a storm of $status $code passes over every request', async (fault) => {
  double.fault = failing(9, fault);
  await store.write('s3://bucket/a', 'text');
  double.fault = failing(9, fault);
  expect(Buffer.from(await store.read('s3://bucket/a')).toString()).toBe('text');
  double.fault = failing(9, fault);
  expect(await Array.fromAsync(store.list('s3://bucket/'))).toHaveLength(1);
});

test('a storm that does not end is a ServiceUnavailableError, which the state machine retries', async () => {
  double.fault = () => ({ status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' });
  await expect(store.read('s3://bucket/a')).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    retryable: true,
    message:
      'Could not read s3://bucket/a: Please reduce your request rate. S3 asks to slow down: try again later.',
  });
});

test('a file goes up in parts through a storm, byte for byte, and is used up', async () => {
  const bytes = randomBytes(40 * 1024 ** 2 + 7);
  const path = join(directory, 'file');
  await writeFile(path, bytes);
  let count = 0;
  double.fault = ({ method }) => {
    count += 1;
    return method === 'PUT' && count % 2 === 0 ? { status: 503, code: 'SlowDown' } : undefined;
  };
  await store.putFile(path, 's3://bucket/big');
  expect(double.objects.get('bucket/big')?.equals(bytes)).toBe(true);
  expect(existsSync(path)).toBe(false);
  expect(double.requests.filter(({ query }) => query.has('partNumber')).length).toBeGreaterThanOrEqual(3);
});

test.each<[string, (request: S3Request) => boolean]>([
  ['a part', ({ query }) => query.has('partNumber')],
  ['its end', ({ method, query }) => method === 'POST' && query.has('uploadId')],
])('a file that is refused %s is kept, and its upload is given up', async (_, isRefused) => {
  const path = join(directory, 'file');
  await writeFile(path, Buffer.alloc(17 * 1024 ** 2));
  double.fault = (request) => (isRefused(request) ? { status: 403, code: 'AccessDenied' } : undefined);
  await expect(store.putFile(path, 's3://bucket/big')).rejects.toMatchObject({ name: 'AccessDeniedError' });
  expect(existsSync(path)).toBe(true);
  expect(double.objects.has('bucket/big')).toBe(false);
  expect(double.requests.some(({ method, query }) => method === 'DELETE' && query.has('uploadId'))).toBe(
    true,
  );
});

test('a small file is one request, an empty file too', async () => {
  for (const size of [0, 1000]) {
    const path = join(directory, 'small');
    await writeFile(path, Buffer.alloc(size, 'x'));
    await store.putFile(path, `s3://bucket/small-${size}`);
    expect(double.objects.get(`bucket/small-${size}`)).toHaveLength(size);
  }
  expect(double.requests).toHaveLength(2);
});

test('a download is a file of its own while it is held, and gone afterwards', async () => {
  const bytes = randomBytes(40 * 1024 ** 2 + 7);
  double.objects.set('bucket/data/big.csv.gz', bytes);
  {
    await using file = await store.fetchFile('s3://bucket/data/big.csv.gz');
    expect(file.path).toMatch(/\.csv\.gz$/);
    expect((await readFile(file.path)).equals(bytes)).toBe(true);
  }
  expect(await readdir(directory)).toEqual([]);
  expect(double.requests.filter(({ headers }) => headers.range !== undefined)).toHaveLength(3);
});

test('an empty object is downloaded as an empty file', async () => {
  double.objects.set('bucket/empty', Buffer.alloc(0));
  await using file = await store.fetchFile('s3://bucket/empty');
  expect(await readFile(file.path)).toHaveLength(0);
});

test('a connection cut in the middle of a body goes on from the next byte', async () => {
  const bytes = randomBytes(3_000_000);
  double.objects.set('bucket/data', bytes);
  double.fault = failing(4, { cutAfterBytes: 500_000 }, ({ method }) => method === 'GET');
  await using file = await store.fetchFile('s3://bucket/data');
  expect((await readFile(file.path)).equals(bytes)).toBe(true);
  double.fault = failing(4, { cutAfterBytes: 500_000 }, ({ method }) => method === 'GET');
  expect(Buffer.from(await store.read('s3://bucket/data')).equals(bytes)).toBe(true);
});

test('a connection that is cut again and again without a byte is given up, and nothing is left behind', async () => {
  double.objects.set('bucket/data', Buffer.alloc(1000));
  double.fault = ({ method }) => (method === 'GET' ? { cutAfterBytes: 0 } : undefined);
  await expect(store.fetchFile('s3://bucket/data')).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    message: expect.stringContaining('the connection broke'),
  });
  expect(await readdir(directory)).toEqual([]);
});

test('an object that is replaced while it is read is not mixed with the new one', async () => {
  double.objects.set('bucket/data', Buffer.alloc(3_000_000, 'a'));
  let gets = 0;
  double.fault = ({ method }) => {
    if (method !== 'GET') return undefined;
    gets += 1;
    if (gets === 1) return { cutAfterBytes: 1000 };
    double.objects.set('bucket/data', Buffer.alloc(3_000_000, 'b'));
    return undefined;
  };
  await expect(store.read('s3://bucket/data')).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    message: 's3://bucket/data was replaced while it was read. Read it again.',
  });
});

test('a missing object is an ObjectNotFoundError before the first byte', async () => {
  for (const reading of [store.read, store.readStream, store.fetchFile]) {
    await expect(reading('s3://bucket/none')).rejects.toMatchObject({
      name: 'ObjectNotFoundError',
      message: 'There is no object s3://bucket/none.',
    });
  }
});

test.each<[string, S3Fault, { name: string; message: RegExp }]>([
  [
    'a bucket that does not exist is named',
    { status: 404, code: 'NoSuchBucket' },
    { name: 'ObjectNotFoundError', message: /There is no bucket "bucket"/ },
  ],
  [
    'a bucket of another account is a refusal that names the account',
    { status: 403, code: 'AccessDenied', message: 'Access Denied' },
    {
      name: 'AccessDeniedError',
      message: /s3:ListBucket among them, and check that it belongs to account 111122223333/,
    },
  ],
  [
    'a bucket of another region is named with its region',
    { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-1' } },
    { name: 'InvalidRunInputError', message: /is in eu-west-1, and this run is not/ },
  ],
  [
    'a missing KMS right is said to be one',
    {
      status: 403,
      code: 'AccessDenied',
      message:
        'User: x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext',
    },
    { name: 'AccessDeniedError', message: /encrypted with a KMS key: whoever reads needs kms:Decrypt/ },
  ],
  [
    'a disabled KMS key is said to be the cause',
    { status: 400, code: 'KMS.DisabledException', message: 'key is disabled' },
    { name: 'AccessDeniedError', message: /KMS key/ },
  ],
  [
    'expired credentials are said to have expired',
    { status: 400, code: 'ExpiredToken', message: 'The provided token has expired.' },
    { name: 'CredentialsError', message: /have expired: sign in again/ },
  ],
  [
    'a clock that is wrong is said to be wrong',
    { status: 403, code: 'RequestTimeTooSkewed' },
    { name: 'CredentialsError', message: /clock of this machine is wrong/ },
  ],
])('%s', async (_, fault, expected) => {
  double.fault = () => fault;
  await expect(store.read('s3://bucket/a')).rejects.toMatchObject({
    name: expected.name,
    message: expect.stringMatching(expected.message),
    cause: expect.anything(),
  });
});

test.each<[number, string, string]>([
  [400, 'ExpiredToken', 'CredentialsError'],
  [301, 'PermanentRedirect', 'InvalidRunInputError'],
  [403, 'AccessDenied', 'AccessDeniedError'],
])('a HEAD that is refused with %i alone is asked for its reason', async (status, code, name) => {
  double.fault = ({ method }) => ({ status, code: method === 'HEAD' ? '' : code });
  await expect(store.head('s3://bucket/a')).rejects.toMatchObject({ name });
});

test('a HEAD that is refused for a reason of its own is the refusal that it is', async () => {
  double.fault = ({ method }) => (method === 'HEAD' ? { status: 403, code: '' } : undefined);
  await expect(store.head('s3://bucket/a')).rejects.toMatchObject({ name: 'AccessDeniedError' });
});

test('a request that S3 does not understand is not retried under another name', async () => {
  double.fault = () => ({ status: 400, code: 'KeyTooLongError' });
  await expect(store.write('s3://bucket/a', 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  expect(double.requests).toHaveLength(1);
});

test('an S3 that cannot be reached is a ServiceUnavailableError', async () => {
  await using gone = await startS3Double();
  const { url } = gone;
  await gone[Symbol.asyncDispose]();
  await expect(storeAt(url).write('s3://bucket/a', 'x')).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
  });
});
