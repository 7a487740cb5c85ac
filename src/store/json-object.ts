import type { z } from 'zod';
import { DamagedFileError, NotSupportedError, ObjectNotFoundError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { VERSION } from '../core/version.ts';
import { type ParsedDocument, parseDocument, renderJson } from './json-document.ts';
import type { ObjectStore } from './object-store.ts';

/** What to do about a document that says nothing else of itself: a step writes it again. */
const WRITTEN_ANEW =
  'Delete it and start the run again: it is written again from what is there, and nothing is paid for twice.';

/**
 * The JSON document at `uri`, parsed. DamagedFileError where it is not there or cannot be read: it names the file, what it should
 * be (the schema's `title`) and what to do (its `mend`).
 */
export async function readJson<T>(store: ObjectStore, uri: S3Uri, schema: z.ZodType<T>): Promise<T> {
  const value = await readJsonIfPresent(store, uri, schema);
  if (value !== undefined) return value;
  const { title = 'a file of Quarry', mend = WRITTEN_ANEW } = schema.meta() ?? {};
  const advice = String(mend).replace(/^Delete it,? and (.)/, (_, letter: string) => letter.toUpperCase());
  throw new DamagedFileError(
    `${store.localPath?.(uri) ?? uri} is damaged: it should be ${title}, and it is not there. ${advice}`,
  );
}

function valueIn<T>(read: ParsedDocument<T>, place: string, schema: z.ZodType<T>): T {
  if ('value' in read) return read.value;
  if (read.writtenBy !== undefined) {
    throw new NotSupportedError(
      `${place} was written by Quarry ${read.writtenBy}, in a format that this version, ${VERSION}, does not read. Continue with that version, or start a new run under another run_id.`,
    );
  }
  const { title = 'a file of Quarry', mend = WRITTEN_ANEW } = schema.meta() ?? {};
  throw new DamagedFileError(`${place} is damaged: it should be ${title}, and ${read.fault}. ${mend}`, {
    cause: read.cause,
  });
}

/** The same, or undefined where there is none. */
export async function readJsonIfPresent<T>(
  store: ObjectStore,
  uri: S3Uri,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await store.read(uri);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return undefined;
    throw error;
  }
  return valueIn(parseDocument(bytes, schema), store.localPath?.(uri) ?? uri, schema);
}

/** Creates or replaces the JSON document at `uri`. */
export async function writeJson(store: ObjectStore, uri: S3Uri, value: unknown): Promise<void> {
  await store.write(uri, renderJson(value));
}

/** Creates the JSON document at `uri`; one that is there already is left as it is. */
export async function writeJsonIfAbsent(store: ObjectStore, uri: S3Uri, value: unknown): Promise<void> {
  await store.writeIfAbsent(uri, renderJson(value));
}

/**
 * Creates or replaces the list of items that a Map state reads: without a checksum, as the state machine knows none. It is written
 * anew before each of these states.
 */
export async function writeMapItems(
  store: ObjectStore,
  uri: S3Uri,
  items: readonly unknown[],
): Promise<void> {
  await store.write(uri, `${JSON.stringify(items, null, 2)}\n`);
}
