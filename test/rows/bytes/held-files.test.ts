import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { S3Uri } from '../../../src/core/s3-uri.ts';
import { openHeldFiles, wholeObjects } from '../../../src/rows/bytes/held-files.ts';
import type { ObjectInfo, ObjectStore } from '../../../src/store/object-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A store of objects that say their own URI, and how many bytes of it were here at most. */
async function openStore(sizes: readonly number[], fault?: (uri: S3Uri, call: number) => Error | undefined) {
  const directory = await temporaryDirectory();
  const scratchDirectory = join(directory, 'scratch');
  const objects = sizes.map(
    (size, index): ObjectInfo => ({ uri: `s3://far/${index}.csv`, size, etag: String(index) }),
  );
  const calls: S3Uri[] = [];
  let [here, most, fetched] = [0, 0, 0];
  const fetchFile: ObjectStore['fetchFile'] = async (uri) => {
    calls.push(uri);
    const size = objects.find((object) => object.uri === uri)?.size ?? 0;
    here += size;
    most = Math.max(most, here);
    const error = fault?.(uri, calls.length);
    if (error !== undefined) {
      here -= size;
      throw error;
    }
    fetched += 1;
    const path = join(directory, `fetched-${fetched}`);
    await mkdir(directory, { recursive: true });
    await writeFile(path, uri);
    return {
      path,
      [Symbol.asyncDispose]: async () => {
        here -= size;
        await rm(path);
      },
    };
  };
  const how = wholeObjects({ fetchFile });
  const remains = async () => ({
    here,
    files: (await readdir(directory)).filter((name) => name !== 'scratch'),
  });
  return { ...how, objects, scratchDirectory, calls, most: () => most, remains };
}

test('files are read one after the other, twice, with no more of them here than there is room for', async () => {
  const far = await openStore(Array.from({ length: 60 }, (_, index) => 10 + (index % 7)));
  {
    await using held = await openHeldFiles(far.objects, { ...far, mostBytes: 100 });
    for (const _pass of [1, 2]) {
      for (const file of held.files) {
        await using _held = await file.hold?.();
        expect(await readFile(file.path, 'utf8')).toBe(file.uri);
      }
    }
  }
  expect(far.most()).toBeLessThanOrEqual(100);
  expect(await far.remains()).toEqual({ here: 0, files: [] });
  expect(await readdir(far.scratchDirectory)).toEqual([]);
});

test('where there is room for all, each is fetched once', async () => {
  const far = await openStore([5, 5, 5]);
  await using held = await openHeldFiles(far.objects, far);
  for (const file of [...held.files, ...held.files]) {
    await using _held = await file.hold?.();
  }
  expect(far.calls).toEqual(far.objects.map(({ uri }) => uri));
});

test('a file that alone is too large comes all the same, and what is being read does not go', async () => {
  const far = await openStore([50, 500, 60]);
  await using held = await openHeldFiles(far.objects, { ...far, mostBytes: 100 });
  const [first, large] = held.files;
  await using _first = await first?.hold?.();
  await using _large = await large?.hold?.();
  expect(await readFile(large?.path ?? '', 'utf8')).toBe('s3://far/1.csv');
  expect((await stat(first?.path ?? '')).isFile()).toBe(true);
});

test('a file that cannot be fetched is an error for whoever reads it, and is fetched again by the next', async () => {
  const far = await openStore([5, 5, 5], (uri, call) =>
    uri === 's3://far/1.csv' && call < 3 ? new Error('Slow down.') : undefined,
  );
  await using held = await openHeldFiles(far.objects, far);
  const [first, second] = held.files;
  await using _first = await first?.hold?.();
  await expect(second?.hold?.()).rejects.toThrow('Slow down.');
  await using _second = await second?.hold?.();
  expect(await readFile(second?.path ?? '', 'utf8')).toBe('s3://far/1.csv');
});
