import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import type { ObjectInfo, ObjectStore } from '../../src/store/object-store.ts';

/** A store to test, empty, and how to get rid of it. */
export interface StoreUnderTest extends AsyncDisposable {
  store: ObjectStore;
}

/** What every object store does; `create` gives a new, empty one. */
export function objectStoreSuite(name: string, create: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    const opened: AsyncDisposable[] = [];
    afterEach(async () => {
      for (const resource of opened.splice(0)) await resource[Symbol.asyncDispose]();
    });
    const open = async (): Promise<ObjectStore> => {
      const underTest = await create();
      opened.push(underTest);
      return underTest.store;
    };
    const directory = async (): Promise<string> => {
      const path = await mkdtemp(join(tmpdir(), 'quarry-store-'));
      opened.push({ [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) });
      return path;
    };
    const list = async (store: ObjectStore, prefix: `s3://${string}`): Promise<string[]> => {
      const found: ObjectInfo[] = [];
      for await (const info of store.list(prefix)) found.push(info);
      return found.map(({ uri }) => uri);
    };

    test('what was written is read, and a second write replaces it', async () => {
      const store = await open();
      await store.write('s3://bucket/a/b.json', 'héllo');
      expect(Buffer.from(await store.read('s3://bucket/a/b.json')).toString()).toBe('héllo');
      await store.write('s3://bucket/a/b.json', new Uint8Array([0, 255, 10]));
      expect([...(await store.read('s3://bucket/a/b.json'))]).toEqual([0, 255, 10]);
    });

    test('an empty object is an object', async () => {
      const store = await open();
      await store.write('s3://bucket/empty', '');
      expect(await store.head('s3://bucket/empty')).toMatchObject({ uri: 's3://bucket/empty', size: 0 });
      expect((await store.read('s3://bucket/empty')).length).toBe(0);
    });

    test('head tells size and an etag that changes with the bytes, and undefined of what is not there', async () => {
      const store = await open();
      expect(await store.head('s3://bucket/a')).toBeUndefined();
      await store.write('s3://bucket/a/x', '1');
      expect(await store.head('s3://bucket/a')).toBeUndefined();
      const before = await store.head('s3://bucket/a/x');
      expect(before?.size).toBe(1);
      await store.write('s3://bucket/a/x', '12');
      const after = await store.head('s3://bucket/a/x');
      expect(after).toMatchObject({ uri: 's3://bucket/a/x', size: 2 });
      expect(after?.etag).not.toBe(before?.etag);
    });

    test('reads of what is not there say so', async () => {
      const store = await open();
      await store.write('s3://bucket/folder/x', '1');
      for (const uri of ['s3://bucket/nothing', 's3://bucket/folder', 's3://bucket/folder/x/y'] as const) {
        await expect(store.read(uri)).rejects.toHaveProperty('name', 'ObjectNotFoundError');
        await expect(store.readStream(uri)).rejects.toHaveProperty('name', 'ObjectNotFoundError');
        await expect(store.fetchFile(uri)).rejects.toThrow(`There is no object ${uri}`);
      }
    });

    test('a stream gives all bytes, or those of a range, both ends included', async () => {
      const store = await open();
      await store.write('s3://bucket/x', '0123456789');
      expect(await text(await store.readStream('s3://bucket/x'))).toBe('0123456789');
      expect(await text(await store.readStream('s3://bucket/x', { start: 2, end: 4 }))).toBe('234');
      expect(await text(await store.readStream('s3://bucket/x', { start: 9, end: 9 }))).toBe('9');
    });

    test('writeIfAbsent writes once, and of many at once one wins', async () => {
      const store = await open();
      expect(await store.writeIfAbsent('s3://bucket/x', 'first')).toBe(true);
      expect(await store.writeIfAbsent('s3://bucket/x', 'second')).toBe(false);
      expect(Buffer.from(await store.read('s3://bucket/x')).toString()).toBe('first');
      const bodies = Array.from({ length: 10 }, (_, index) => `body ${index}`);
      const wins = await Promise.all(bodies.map((body) => store.writeIfAbsent('s3://bucket/race', body)));
      expect(wins.filter(Boolean)).toHaveLength(1);
      expect(Buffer.from(await store.read('s3://bucket/race')).toString()).toBe(bodies[wins.indexOf(true)]);
    });

    test('a listing has the keys that start with the prefix, as characters, in the order of their bytes', async () => {
      const store = await open();
      const keys = ['a-b', 'a/b', 'a/bb/c', 'a/é', 'a/z', 'a0', 'ab/c', 'b', 'a/\ufb01', 'a/😀'];
      for (const key of keys) await store.write(`s3://bucket/${key}`, key);
      await store.write('s3://other/a', '');
      const sorted = (prefix: string) =>
        keys
          .filter((key) => key.startsWith(prefix))
          .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
          .map((key) => `s3://bucket/${key}`);
      for (const prefix of ['', 'a', 'a/', 'a/b', 'a/bb/', 'ab', 'nothing', 'a/b/c/d']) {
        expect(await list(store, `s3://bucket/${prefix}`)).toEqual(sorted(prefix));
      }
      expect(await list(store, 's3://absent/')).toEqual([]);
    });

    test('putFile uses a file up, and replaces', async () => {
      const store = await open();
      const path = join(await directory(), 'local');
      for (const content of ['one', 'two']) {
        await writeFile(path, content);
        await store.putFile(path, 's3://bucket/deep/er/x');
        await expect(stat(path)).rejects.toHaveProperty('code', 'ENOENT');
        expect(Buffer.from(await store.read('s3://bucket/deep/er/x')).toString()).toBe(content);
      }
      await expect(store.putFile(path, 's3://bucket/y')).rejects.toThrow();
      expect(await store.head('s3://bucket/y')).toBeUndefined();
    });

    test('fetchFile gives a local file with the bytes', async () => {
      const store = await open();
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
      await store.write('s3://bucket/x', bytes);
      await using file = await store.fetchFile('s3://bucket/x');
      expect((await readFile(file.path)).equals(bytes)).toBe(true);
      expect((await buffer(await store.readStream('s3://bucket/x'))).equals(bytes)).toBe(true);
    });

    test('delete deletes, and is content where there is nothing', async () => {
      const store = await open();
      await store.write('s3://bucket/x', '1');
      await store.delete('s3://bucket/x');
      await store.delete('s3://bucket/x');
      expect(await store.head('s3://bucket/x')).toBeUndefined();
      expect(await list(store, 's3://bucket/')).toEqual([]);
    });
  });
}
