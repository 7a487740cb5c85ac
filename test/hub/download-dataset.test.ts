import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { downloadHubFiles } from '../../src/hub/download-dataset.ts';
import { bytesOf, startWorld } from './download-world.ts';
import { accessTo } from './hub-fixture.ts';

const BIG = bytesOf(300_000);

describe('what arrives', () => {
  test('files land at their place in the store, whole, in the order of the rows', async () => {
    await using world = await startWorld({
      'data/train-00001-of-00002.parquet': bytesOf(5000, 'b'),
      'data/train-00000-of-00002.parquet': BIG,
    });
    const seen: string[] = [];
    const objects = await world.download({
      onProgress: ({ path, doneBytes, totalBytes }) => seen.push(`${path} ${doneBytes}/${totalBytes}`),
    });
    const commit = world.hub.commitOf('o/d');
    expect(objects.map(({ uri, size }) => [uri, size])).toEqual([
      [`s3://bucket/hf/o/d/${commit}/default/train/data/train-00000-of-00002.parquet`, 300_000],
      [`s3://bucket/hf/o/d/${commit}/default/train/data/train-00001-of-00002.parquet`, 5000],
    ]);
    expect(Buffer.from(await world.store.read(objects[0]?.uri ?? 's3://bucket/none'))).toEqual(BIG);
    expect(seen.at(0)).toMatch(/ 0\//);
    expect(seen).toContain('data/train-00000-of-00002.parquet 300000/300000');
    expect(await readdir(world.scratchDirectory)).toEqual([]);
  });

  test('small files of git, empty ones and odd names arrive too', async () => {
    const files = { 'year=2024/train [1] #a?.csv': 'a\n1\n', 'train/empty.csv': '', 'train/é.csv': 'a\n2\n' };
    await using world = await startWorld(files);
    const objects = await world.download();
    expect(objects.map(({ size }) => size)).toEqual([0, 4]);
    await using other = await startWorld({ 'year=2024/train [1] #a?.csv': 'a\n1\n' });
    const [object] = await other.download();
    expect(object?.uri).toMatch(/\/train\/year%3D2024\/train%20%5B1%5D%20%23a%3F\.csv$/);
  });

  test('the Parquet conversion is downloaded from its own commit', async () => {
    await using world = await startWorld({
      files: { 'a.txt': '' },
      conversion: { files: { 'default/train/0000.parquet': BIG } },
    });
    const [object] = await world.download();
    expect(object).toMatchObject({ size: 300_000, uri: expect.stringContaining(world.dataset.filesCommit) });
  });

  test('files that are there are kept, and not asked for again', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const first = await world.download();
    world.hub.seen.length = 0;
    const progress: number[] = [];
    expect(await world.download({ onProgress: ({ doneBytes }) => progress.push(doneBytes) })).toEqual(first);
    expect(world.hub.seen).toEqual([]);
    expect(progress).toEqual([300_000]);
  });

  test('an object of another size is replaced', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const [object] = await world.download();
    const uri = object?.uri ?? 's3://bucket/none';
    await world.store.write(uri, 'half');
    await world.download();
    expect(Buffer.from(await world.store.read(uri))).toEqual(BIG);
  });

  test('bytes come over plain HTTP even from a file that is in Xet storage', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    await world.download();
    expect(world.hub.seen.filter(({ headers }) => headers.accept?.includes('xet'))).toEqual([]);
    expect(world.fileRequests()).toHaveLength(1);
  });
});

describe('.json files', () => {
  test('are stored under their names, compressed as they were, and so are lists of objects', async () => {
    const line = '{"a":1}\n';
    await using world = await startWorld({
      'train/a.json': line,
      'train/b.json.gz': gzipSync(line),
      'train/c.json.zst': zstdCompressSync(line),
      'train/d.jsonl': line,
      'train/e.json': '[{"a":1}]',
    });
    const objects = await world.download();
    expect(objects.map(({ uri }) => uri.slice(uri.lastIndexOf('/') + 1))).toEqual([
      'a.json',
      'b.json.gz',
      'c.json.zst',
      'd.jsonl',
      'e.json',
    ]);
  });

  test('that turn out to hold no records once they are here are refused', async () => {
    await using world = await startWorld({ 'train/a.json': '{"a":1}\n', 'train/b.json': '[[1]]' });
    await expect(world.download()).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringContaining('train/b.json is a list of other things than objects'),
    });
  });
});

describe('the token', () => {
  test('goes to the Hub and never to the CDN', async () => {
    await using world = await startWorld(
      { files: { 'train.parquet': BIG }, tokens: ['hf_owner'] },
      { token: 'hf_owner' },
    );
    await world.download();
    const withToken = world.hub.seen.map(({ origin, headers }) => [origin, headers.authorization]);
    expect(withToken).toEqual([
      ['hub', 'Bearer hf_owner'],
      ['cdn', undefined],
    ]);
  });

  test('a redirect to an unencrypted place is not followed from an encrypted one', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const secure = world.hub.endpoint.replace('http:', 'https:');
    const access = {
      endpoint: secure,
      fetch: ((url, init) => fetch(String(url).replace('https:', 'http:'), init)) as typeof fetch,
    };
    await expect(world.download({ access })).rejects.toThrow(/redirects to http:.*not encrypted/);
  });

  test('a redirect that never ends is given up', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(
      /resolve/,
      { kind: 'status', status: 302, headers: { location: '/datasets/o/d/resolve/x/y' } },
      99,
    );
    await expect(world.download()).rejects.toThrow('redirects more than 6 times');
  });
});

test('when one file fails, the others stop, and what is whole stays', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`train/${i}.parquet`, bytesOf(1000, `${i}`)]),
  );
  await using world = await startWorld(files);
  world.hub.fail(/^cdn.*\/train\/5\.parquet/, { kind: 'status', status: 404 });
  await expect(world.download()).rejects.toThrow('answered 404');
  expect(world.fileRequests().length).toBeLessThan(12);
  expect(await world.download()).toHaveLength(12);
  expect(world.fileRequests().filter(({ path }) => path.includes('/train/0.parquet'))).toHaveLength(1);
});

test('an object that the store did not keep whole is told', async () => {
  await using world = await startWorld({ 'train.parquet': BIG });
  const store = { ...world.store, putFile: async () => {} };
  await expect(world.download({ store })).rejects.toThrow(/has no bytes after 300000 were written/);
});

test('a listing without a hash is trusted for its size alone', async () => {
  await using world = await startWorld({ 'train.csv': 'a\n1\n' });
  await mkdir(world.scratchDirectory, { recursive: true });
  const dataset = { ...world.dataset, files: world.dataset.files.map((file) => ({ ...file, etag: '' })) };
  const [object] = await downloadHubFiles(dataset, accessTo(world.hub), {
    store: world.store,
    prefixUri: 's3://bucket/hf',
    scratchDirectory: world.scratchDirectory,
  });
  expect(object?.size).toBe(4);
  expect(
    await readFile(
      join(world.scratchDirectory, '..', 'store', (object?.uri ?? '').slice('s3://'.length)),
      'utf8',
    ),
  ).toBe('a\n1\n');
});
