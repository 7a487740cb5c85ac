import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { AccessDeniedError, CredentialsError, ServiceUnavailableError } from '../../../src/core/errors.ts';
import { openMediaReader } from '../../../src/rows/media/media-reader.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { createDirectory } from '../../support/rows.ts';

const MOST = 100;

async function openFolder() {
  const outside = await createDirectory();
  const folder = join(outside, 'set');
  await mkdir(join(folder, 'photos'), { recursive: true });
  await writeFile(join(folder, 'photos/a.png'), 'bytes of a');
  await writeFile(join(folder, 'photos/Müller “1”.png'), 'bytes of m');
  await writeFile(join(folder, 'large.png'), 'x'.repeat(MOST + 1));
  await writeFile(join(outside, 'secret.png'), 'secret');
  const store = createDirectoryStore(join(outside, 'store'));
  await store.write('s3://bucket/in/a.png', 'bytes of s');
  await store.write('s3://bucket/in/large.png', 'x'.repeat(MOST + 1));
  await store.write('s3://bucket/other/b.png', 'bytes of b');
  return { outside, folder, store };
}

test('a relative path is one below the folder, an absolute one too where it is', async () => {
  const { folder, store } = await openFolder();
  const reader = await openMediaReader({ folder, store, fetchMedia: undefined });
  for (const path of ['photos/a.png', './photos/../photos/a.png', join(folder, 'photos/a.png')]) {
    expect(await reader.read(path, MOST)).toEqual({ kind: 'found', bytes: Buffer.from('bytes of a') });
  }
  expect(await reader.read('photos/Müller “1”.png', MOST)).toMatchObject({ kind: 'found' });
});

test('a link within the folder is followed: whoever has made it has the folder', async () => {
  const { outside, folder, store } = await openFolder();
  await symlink(join(outside, 'secret.png'), join(folder, 'link.png'));
  const reader = await openMediaReader({ folder, store, fetchMedia: undefined });
  expect(await reader.read('link.png', MOST)).toEqual({ kind: 'found', bytes: Buffer.from('secret') });
});

test.each([
  ['photos/none.png', 'NotFound'],
  ['photos', 'NotFound'],
  ['', 'NotFound'],
  ['photos/a.png/b', 'NotFound'],
  ['large.png', 'TooLarge'],
  ['../secret.png', 'NotAllowed'],
  ['photos/../../secret.png', 'NotAllowed'],
  ['..', 'NotAllowed'],
  ['/etc/hostname', 'NotAllowed'],
  ['file:///etc/hostname', 'NotAllowed'],
  ['https://example.org/a.png', 'NotAllowed'],
  ['a\0b.png', 'NotReadable'],
  ['s3://bucket/in/none.png', 'NotFound'],
  ['s3://bucket', 'NotFound'],
  ['s3://B_/a.png', 'NotFound'],
  ['s3://bucket/../../secret.png', 'NotFound'],
  ['s3://bucket/in/large.png', 'TooLarge'],
])('%j is a fault of the row: %s', async (path, name) => {
  const { folder, store } = await openFolder();
  const reader = await openMediaReader({ folder, store, fetchMedia: undefined });
  expect(await reader.read(path, MOST)).toMatchObject({ kind: 'fault', name });
});

test('below a prefix of S3, a relative path is a key that stays there', async () => {
  const { store } = await openFolder();
  for (const folder of ['s3://bucket/in/', 's3://bucket/in']) {
    const reader = await openMediaReader({ folder, store, fetchMedia: undefined });
    expect(await reader.read('a.png', MOST)).toEqual({ kind: 'found', bytes: Buffer.from('bytes of s') });
    expect(await reader.read('s3://bucket/other/b.png', MOST)).toMatchObject({ kind: 'found' });
    for (const path of ['../other/b.png', '/other/b.png', '../in-other/b.png', '../../b.png']) {
      expect(await reader.read(path, MOST)).toMatchObject({ kind: 'fault', name: 'NotAllowed' });
    }
  }
  const whole = await openMediaReader({ folder: 's3://bucket/', store, fetchMedia: undefined });
  expect(await whole.read('in/a.png', MOST)).toMatchObject({ kind: 'found' });
  expect(await whole.read('../x', MOST)).toMatchObject({ kind: 'fault', name: 'NotAllowed' });
});

test('a folder that is not on the machine is refused at once', async () => {
  const { store } = await openFolder();
  for (const folder of ['/no/such/folder', 'relative']) {
    await expect(openMediaReader({ folder, store, fetchMedia: undefined })).rejects.toThrow(
      `files_folder "${folder}" is not a folder of the machine that reads it. Give an absolute path there, or s3://bucket/prefix/; on AWS, files lie in S3.`,
    );
  }
});

test('what says nothing of the row rejects, and a missing right is its fault', async () => {
  const failing = (error: Error) => ({ readStream: () => Promise.reject(error) });
  const read = async (error: Error) =>
    (await openMediaReader({ folder: 's3://bucket/', store: failing(error), fetchMedia: undefined })).read(
      'a',
      MOST,
    );
  await expect(read(new ServiceUnavailableError('later'))).rejects.toThrow('later');
  await expect(read(new CredentialsError('expired'))).rejects.toThrow('expired');
  expect(await read(new AccessDeniedError('Could not read s3://bucket/a: no.'))).toEqual({
    kind: 'fault',
    name: 'NotReadable',
    text: 'cannot be read: Could not read s3://bucket/a: no',
  });
});

test('an object whose bytes break off is read again, three times', async () => {
  let reads = 0;
  const brokenUntil = (good: number) => ({
    readStream: async () => {
      reads += 1;
      return reads < good
        ? new Readable({
            read() {
              this.destroy(new Error('ECONNRESET'));
            },
          })
        : Readable.from([Buffer.from('whole')]);
    },
  });
  const third = await openMediaReader({
    folder: 's3://bucket/',
    store: brokenUntil(3),
    fetchMedia: undefined,
  });
  expect(await third.read('a', MOST)).toEqual({ kind: 'found', bytes: Buffer.from('whole') });
  reads = 0;
  const never = await openMediaReader({
    folder: 's3://bucket/',
    store: brokenUntil(4),
    fetchMedia: undefined,
  });
  await expect(never.read('a', MOST)).rejects.toThrow('Could not read s3://bucket/a: ECONNRESET');
});
