import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { objectStoreSuite } from '../store/object-store.suite.ts';
import { CREDENTIALS, MOTO_ACCOUNT, type Moto, REGION, startMoto } from './moto.ts';

/** Buckets of the contract suite; the one that nobody writes to is there, since on S3 a missing one is a fault. */
const SUITE_BUCKETS = ['bucket', 'other', 'absent'];

let suiteMoto: Moto | undefined;
let moto: Moto;
let directory: string;
let store: ObjectStore;

beforeAll(async () => {
  moto = await startMoto();
  directory = await mkdtemp(join(tmpdir(), 'quarry-moto-s3-'));
  const client = createS3Client({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
  await client.send(new CreateBucketCommand({ Bucket: 'data-bucket' }));
  store = createS3Store({
    client,
    scratchDirectory: directory,
    bucketOwners: { 'data-bucket': MOTO_ACCOUNT },
  });
});

afterAll(async () => {
  await moto?.[Symbol.asyncDispose]();
  await suiteMoto?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

objectStoreSuite(
  'S3 store on an independent S3',
  async () => {
    suiteMoto ??= await startMoto();
    await fetch(`${suiteMoto.url}/moto-api/reset`, { method: 'POST' });
    const scratch = await mkdtemp(join(tmpdir(), 'quarry-moto-suite-'));
    const client = createS3Client({ endpoint: suiteMoto.url, region: REGION, credentials: CREDENTIALS });
    for (const Bucket of SUITE_BUCKETS) await client.send(new CreateBucketCommand({ Bucket }));
    return {
      store: createS3Store({ client, scratchDirectory: scratch }),
      [Symbol.asyncDispose]: () => rm(scratch, { recursive: true, force: true }),
    };
  },
  { swapsAtOnce: false },
);

test('an independent S3 keeps what is written, whatever its name, and forgets what is deleted', async () => {
  for (const key of ['plain', 'a b+c&d=é%20', 'ü/😀/ x']) {
    await store.write(`s3://data-bucket/names/${key}`, key);
    expect(Buffer.from(await store.read(`s3://data-bucket/names/${key}`)).toString()).toBe(key);
    const listed = await Array.fromAsync(store.list(`s3://data-bucket/names/${key}`));
    expect(listed.map(({ uri }) => uri)).toEqual([`s3://data-bucket/names/${key}`]);
    expect(listed[0]).toEqual(await store.head(`s3://data-bucket/names/${key}`));
    await store.delete(`s3://data-bucket/names/${key}`);
    expect(await store.head(`s3://data-bucket/names/${key}`)).toBeUndefined();
  }
});

test('an independent S3 takes the first of two conditional writes only, even at once', async () => {
  const uri = 's3://data-bucket/lock';
  expect(await store.writeIfAbsent(uri, 'first')).toBe(true);
  expect(await store.writeIfAbsent(uri, 'second')).toBe(false);
  expect(Buffer.from(await store.read(uri)).toString()).toBe('first');
});

test('a large file goes up in parts and comes down in ranges, byte for byte', async () => {
  const bytes = randomBytes(50 * 1024 ** 2 + 3);
  const path = join(directory, 'large');
  await writeFile(path, bytes);
  await store.putFile(path, 's3://data-bucket/large.parquet');
  await using file = await store.fetchFile('s3://data-bucket/large.parquet');
  expect((await readFile(file.path)).equals(bytes)).toBe(true);
  const range = await Array.fromAsync(
    await store.readStream('s3://data-bucket/large.parquet', { start: 10, end: 1_000_009 }),
  );
  expect(Buffer.concat(range).equals(bytes.subarray(10, 1_000_010))).toBe(true);
});

test('what is not there is an ObjectNotFoundError, for objects and buckets', async () => {
  await expect(store.read('s3://data-bucket/none')).rejects.toMatchObject({ name: 'ObjectNotFoundError' });
  await expect(store.read('s3://no-such-bucket/none')).rejects.toMatchObject({
    name: 'ObjectNotFoundError',
    message: expect.stringContaining('There is no bucket "no-such-bucket"'),
  });
});
