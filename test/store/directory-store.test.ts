import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createDirectoryStore, localPathOf } from '../../src/store/directory-store.ts';
import { objectStoreSuite } from './object-store.suite.ts';

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function createDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'quarry-directory-store-'));
  directories.push(directory);
  return directory;
}

objectStoreSuite('directory store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quarry-directory-store-'));
  return {
    store: createDirectoryStore(directory),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
});

test('objects are the files that their URIs name', async () => {
  const directory = await createDirectory();
  const store = createDirectoryStore(directory);
  await store.write('s3://bucket/a/b', 'x');
  expect(localPathOf(directory, 's3://bucket/a/b')).toBe(join(directory, 'bucket', 'a', 'b'));
  expect(await readFile(join(directory, 'bucket/a/b'), 'utf8')).toBe('x');
  await using file = await store.fetchFile('s3://bucket/a/b');
  expect(file.path).toBe(join(directory, 'bucket/a/b'));
});

test('a key that would leave its bucket is refused', async () => {
  const store = createDirectoryStore(await createDirectory());
  await expect(store.write('s3://bucket/../../etc/x', 'x')).rejects.toThrow('leaves its bucket');
  await expect(store.read('s3://bucket/../..')).rejects.toThrow('leaves its bucket');
  await store.write('s3://other/x', 'x');
  await expect(store.read('s3://bucket/../other/x')).rejects.toThrow('leaves its bucket');
  await expect(store.read('s3://bucket/a/../../bucket2/x')).rejects.toThrow('leaves its bucket');
  expect(() => store.list('s3://bucket/../other/')).toThrow('leaves its bucket');
});

test('unfinished writes are seen by nobody and left by nobody', async () => {
  const directory = await createDirectory();
  const store = createDirectoryStore(directory);
  await store.write('s3://bucket/a', 'x');
  await writeFile(join(directory, 'bucket', '.quarry-tmp-1-1'), 'half');
  const found: string[] = [];
  for await (const { uri } of store.list('s3://bucket/')) found.push(uri);
  expect(found).toEqual(['s3://bucket/a']);
  await expect(store.write('s3://bucket/a/b', 'below')).rejects.toThrow(
    'an object has the name of one of its folders',
  );
  await store.writeIfAbsent('s3://bucket/a', 'y');
  expect((await readdir(join(directory, 'bucket'))).sort()).toEqual(['.quarry-tmp-1-1', 'a']);
});

test('a second object of the same size, written within the same millisecond, has another etag', async () => {
  const store = createDirectoryStore(await createDirectory());
  let before: string | undefined;
  for (let write = 0; write < 20; write++) {
    await store.write('s3://bucket/x', String(write % 10));
    const etag = (await store.head('s3://bucket/x'))?.etag;
    expect(etag).not.toBe(before);
    before = etag;
  }
});
