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

/** What every object store does; `create` gives a new, empty one. `swapsAtOnce`: what is behind it compares and swaps in one step. */
export function objectStoreSuite(
  name: string,
  create: () => Promise<StoreUnderTest>,
  { swapsAtOnce = true }: { swapsAtOnce?: boolean } = {},
): void {
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

    test('an object is replaced only in the state that it was seen in', async () => {
      const store = await open();
      const uri = 's3://bucket/deep/er/x';
      expect(await store.readTagged(uri)).toBeUndefined();
      expect(await store.replace(uri, { body: 'early', etag: '"no such state"' })).toBeUndefined();
      expect(await store.head(uri)).toBeUndefined();
      const first = await store.replace(uri, { body: 'first', etag: undefined });
      expect(await store.replace(uri, { body: 'again', etag: undefined })).toBeUndefined();
      const seen = await store.readTagged(uri);
      expect({ ...seen, body: Buffer.from(seen?.body ?? '').toString() }).toEqual({
        etag: first,
        body: 'first',
      });
      const second = await store.replace(uri, { body: 'second', etag: first });
      expect(second).toEqual((await store.readTagged(uri))?.etag);
      expect(second).not.toBe(first);
      expect(await store.replace(uri, { body: 'late', etag: first })).toBeUndefined();
      expect(Buffer.from(await store.read(uri)).toString()).toBe('second');
      expect(await list(store, 's3://bucket/')).toEqual([uri]);
      await store.delete(uri);
      expect(await store.replace(uri, { body: 'dead', etag: second })).toBeUndefined();
      expect(await store.head(uri)).toBeUndefined();
    });

    // moto looks at If-Match and writes in two steps, which AWS and our own double do in one.
    test.runIf(swapsAtOnce)(
      'of many that replace one state at once one wins, and what it wrote is there',
      async () => {
        const store = await open();
        const uri = 's3://bucket/race';
        let etag = await store.replace(uri, { body: 'start', etag: undefined });
        for (let round = 0; round < 10; round += 1) {
          const bodies = Array.from({ length: 8 }, (_, index) => `round ${round} body ${index}`);
          const before = etag;
          const results = await Promise.all(bodies.map((body) => store.replace(uri, { body, etag: before })));
          expect(results.filter((result) => result !== undefined)).toHaveLength(1);
          const winner = results.findIndex((result) => result !== undefined);
          expect(Buffer.from(await store.read(uri)).toString()).toBe(bodies[winner]);
          etag = results[winner];
        }
      },
    );

    test('the folders right below one are listed, and nothing that is in them', async () => {
      const store = await open();
      for (const key of ['runs/b/x', 'runs/a/y/z', 'runs/é 1/x', 'runs/file', 'runs-2/c/x', 'other/x']) {
        await store.write(`s3://bucket/${key}`, '');
      }
      const folders = (folder: `s3://${string}`) => Array.fromAsync(store.listFolders(folder));
      expect(await folders('s3://bucket/runs/')).toEqual(
        ['a', 'b', 'é 1'].map((name) => `s3://bucket/runs/${name}/`),
      );
      expect(await folders('s3://bucket/runs/a/')).toEqual(['s3://bucket/runs/a/y/']);
      expect(await folders('s3://bucket/nothing/')).toEqual([]);
    });

    test('the identity of an object changes with its bytes, and with nothing else', async () => {
      const store = await open();
      const identityOf = async (uri: `s3://${string}`) => {
        const info = await store.head(uri);
        return info && (await store.identityOf(info));
      };
      await store.write('s3://bucket/x', 'one');
      const one = await identityOf('s3://bucket/x');
      await store.write('s3://bucket/copy', 'one');
      expect(await identityOf('s3://bucket/copy')).toBe(one);
      await store.write('s3://bucket/x', 'two');
      expect(await identityOf('s3://bucket/x')).not.toBe(one);
      await store.write('s3://bucket/x', 'one');
      expect(await identityOf('s3://bucket/x')).toBe(one);
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
