import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { syncFile, syncFolder } from '../../store/durable-file.ts';
import { parseDocument } from '../../store/json-document.ts';

/** Where the text before the last one is kept. */
const BEFORE = '.before';

/** What a file of the state directory holds; `damage` where it, or the copy before it, could not be read. */
export interface StateFile<T> {
  value: T | undefined;
  damage: string | undefined;
}

/**
 * Writes a file so that a killed process leaves the old text or the new one, and keeps the old one beside it: what a full disk,
 * a power cut or a hand has spoiled is not lost.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await putInPlace(path);
}

/** The same, and it is on the disk when this resolves: what was said on the strength of it outlives a loss of power. */
export async function replaceFileForGood(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await syncFile(`${path}.tmp`);
  await putInPlace(path);
  await syncFolder(dirname(path));
}

async function putInPlace(path: string): Promise<void> {
  await rename(path, `${path}${BEFORE}`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(`${path}.tmp`, path);
}

/** Reads a file that `replaceFile` wrote, or the copy before it; undefined where there is neither. */
export async function readStateFile<T>(path: string, schema: z.ZodType<T>): Promise<StateFile<T>> {
  const last = await readOne(path, schema);
  if (last.value !== undefined) return last;
  const before = await readOne(`${path}${BEFORE}`, schema);
  // Killed between its two renames, a write leaves the copy alone: nothing is damaged.
  return { value: before.value, damage: last.damage ?? before.damage };
}

async function readOne<T>(path: string, schema: z.ZodType<T>): Promise<StateFile<T>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (bytes === undefined) return { value: undefined, damage: undefined };
  const read = parseDocument(bytes, schema);
  return 'value' in read
    ? { value: read.value, damage: undefined }
    : { value: undefined, damage: read.fault };
}
