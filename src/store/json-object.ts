import type { z } from 'zod';
import { ObjectNotFoundError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import type { ObjectStore } from './object-store.ts';

/** The JSON document at `uri`, parsed; ObjectNotFoundError where there is none. */
export async function readJson<T>(store: ObjectStore, uri: S3Uri, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(new TextDecoder().decode(await store.read(uri))));
}

/** The JSON document at `uri`, or undefined where there is none. */
export async function readJsonIfPresent<T>(
  store: ObjectStore,
  uri: S3Uri,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  try {
    return await readJson(store, uri, schema);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
}

/** Creates or replaces the JSON document at `uri`. */
export async function writeJson(store: ObjectStore, uri: S3Uri, value: unknown): Promise<void> {
  await store.write(uri, `${JSON.stringify(value, null, 2)}\n`);
}

/** Creates the JSON document at `uri`; one that is there already is left as it is. */
export async function writeJsonIfAbsent(store: ObjectStore, uri: S3Uri, value: unknown): Promise<void> {
  await store.writeIfAbsent(uri, `${JSON.stringify(value, null, 2)}\n`);
}
