import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { DamagedFileError } from '../../src/core/errors.ts';
import type { S3Uri } from '../../src/core/s3-uri.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { readJson, readJsonIfPresent, writeJson, writeMapItems } from '../../src/store/json-object.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';

const Schema = z.object({ rows: z.int() });
const URI: S3Uri = 's3://bucket/a/b.json';
let directory: string;
let store: ObjectStore;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quarry-json-object-'));
  store = createDirectoryStore(directory);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('a document that was written is read again', async () => {
  await writeJson(store, URI, { rows: 3 });
  expect(await readJson(store, URI, Schema)).toEqual({ rows: 3 });
  expect(await readJsonIfPresent(store, URI, Schema)).toEqual({ rows: 3 });
});

test('a document that is not there is an error that says what to do, or undefined where that is expected', async () => {
  await expect(readJson(store, URI, Schema)).rejects.toThrow(
    new DamagedFileError(
      `${join(directory, 'bucket/a/b.json')} is damaged: it should be a file of Quarry, and it is not there. Start the run again: it is written again from what is there, and nothing is paid for twice.`,
    ),
  );
  expect(await readJsonIfPresent(store, URI, Schema)).toBeUndefined();
});

test('a document of another shape is an error in both cases', async () => {
  await writeJson(store, URI, { rows: 'three' });
  for (const read of [readJson, readJsonIfPresent]) {
    await expect(read(store, URI, Schema)).rejects.toThrow(DamagedFileError);
    await expect(read(store, URI, Schema)).rejects.toThrow(
      `${join(directory, 'bucket/a/b.json')} is damaged: it should be a file of Quarry, and "rows" in it is missing, or not what it should be. Delete it and start the run again: it is written again from what is there, and nothing is paid for twice.`,
    );
  }
});

test.each([
  ['', 'it is empty'],
  ['{"rows": 3', 'it breaks off after 10 bytes'],
  ['{"rows": "thr', 'it breaks off after 13 bytes'],
  ['rows: 3', 'it is not JSON'],
  [Buffer.from('7b22726f7773223a33ff7d', 'hex'), 'it is not JSON'],
  ['[]', 'it is something else'],
])('a document %j is an error that says what it should be and what to do', async (body, fault) => {
  const Words = Schema.meta({ title: 'the count of rows', mend: 'Count them again.' });
  await store.write(URI, body);
  const reading = readJson(store, URI, Words);
  await expect(reading).rejects.toThrow(
    `a/b.json is damaged: it should be the count of rows, and ${fault}. Count them again.`,
  );
});

test('a document of another version says which one wrote it', async () => {
  const Versioned = z.object({ format_version: z.literal(1), quarry_version: z.string() });
  await writeJson(store, URI, { format_version: 2, quarry_version: '9.1.0' });
  await expect(readJson(store, URI, Versioned)).rejects.toThrow(
    /b\.json was written by Quarry 9\.1\.0, in a format that this version, \S+, does not read\. Continue with that version/,
  );
});

test('the items of a Map state are a list, as the state machine reads them', async () => {
  await writeMapItems(store, URI, [{ part: 1 }]);
  expect(new TextDecoder().decode(await store.read(URI))).toBe('[\n  {\n    "part": 1\n  }\n]\n');
  expect(await readJson(store, URI, z.array(z.unknown()))).toEqual([{ part: 1 }]);
});
