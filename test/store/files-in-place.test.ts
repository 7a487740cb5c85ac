import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { withFilesInPlace } from '../../src/store/files-in-place.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('files in place are objects among the store’s own, and nothing is written', async () => {
  const directory = await temporaryDirectory();
  const path = join(await temporaryDirectory(), 'mine.csv');
  await writeFile(path, 'a,b\n1,2\n');
  const own = createDirectoryStore(directory);
  await own.write('s3://bkt/data/a.csv', 'own');
  await own.write('s3://bkt/data/z.csv', 'own');
  const store = withFilesInPlace(own, new Map([['s3://bkt/data/m.csv', { path, digest: 'd1' }]]));

  const info = { uri: 's3://bkt/data/m.csv', size: 8, etag: 'sha256-d1' };
  expect(await store.head('s3://bkt/data/m.csv')).toEqual(info);
  expect((await Array.fromAsync(store.list('s3://bkt/data/'))).map(({ uri }) => uri)).toEqual([
    's3://bkt/data/a.csv',
    's3://bkt/data/m.csv',
    's3://bkt/data/z.csv',
  ]);
  expect(Buffer.from(await store.read('s3://bkt/data/m.csv')).toString()).toBe('a,b\n1,2\n');
  expect(await text(await store.readStream('s3://bkt/data/m.csv', { start: 4, end: 6 }))).toBe('1,2');
  expect(await store.identityOf(info as never)).toBe('sha256-d1');
  expect(store.localPath?.('s3://bkt/data/m.csv')).toBe(path);
  await using file = await store.fetchFile('s3://bkt/data/m.csv');
  expect(file.path).toBe(path);

  expect(await text(await store.readStream('s3://bkt/data/a.csv'))).toBe('own');
  expect(await store.head('s3://bkt/data/b.csv')).toBeUndefined();
  await using other = await store.fetchFile('s3://bkt/data/a.csv');
  expect(other.path).toBe(own.localPath?.('s3://bkt/data/a.csv'));
  expect(await own.head('s3://bkt/data/m.csv')).toBeUndefined();
});
