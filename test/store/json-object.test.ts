import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { ObjectNotFoundError } from '../../src/core/errors.ts';
import type { S3Uri } from '../../src/core/s3-uri.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { readJson, readJsonIfPresent, writeJson } from '../../src/store/json-object.ts';
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

test('a document that is not there is an error, or undefined where that is expected', async () => {
  await expect(readJson(store, URI, Schema)).rejects.toThrow(ObjectNotFoundError);
  expect(await readJsonIfPresent(store, URI, Schema)).toBeUndefined();
});

test('a document of another shape is an error in both cases', async () => {
  await writeJson(store, URI, { rows: 'three' });
  await expect(readJson(store, URI, Schema)).rejects.toThrow(z.ZodError);
  await expect(readJsonIfPresent(store, URI, Schema)).rejects.toThrow(z.ZodError);
});

test('the text is laid out for people and ends in a line break', async () => {
  await writeJson(store, URI, { rows: 3 });
  expect(new TextDecoder().decode(await store.read(URI))).toBe('{\n  "rows": 3\n}\n');
});
