import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { readFileBytes } from './file-bytes.ts';
import { parseDocument, renderJson } from './json-document.ts';

/** Bytes of a file that is rather read again than noted: to read a note takes as long. */
const SMALL_BYTES = 256n * 1024n;
/** Nanoseconds that must lie between the last change of a file and its note: within one tick it could change again unseen. */
const TICK_NS = 2_000_000_000n;

/** What is noted of a file: its digest, and the state that it was of. */
const DigestNote = z.object({ state: z.string(), sha256: z.string() });

/** SHA-256 of files in hexadecimal; one that is not small, and has not changed since, is not read again. */
export interface ContentDigests {
  of(path: string, signal?: AbortSignal): Promise<string>;
  /** Notes the digest of a file that has just been copied from one of that digest. */
  note(path: string, sha256: string): Promise<void>;
}

/** Digests that are noted in a folder. A folder that cannot be written to has no notes: files are read each time. */
export function createContentDigests(folder: string): ContentDigests {
  const noteOf = (path: string) =>
    join(folder, `${createHash('sha256').update(resolve(path)).digest('hex').slice(0, 32)}.json`);

  const known = async (path: string, stats: BigIntStats): Promise<string | undefined> => {
    try {
      const note = noteOf(path);
      const read = parseDocument(await readFile(note), DigestNote);
      if (!('value' in read)) return undefined;
      const { state, sha256 } = read.value;
      const isSettled = (await stat(note, { bigint: true })).mtimeNs - stats.mtimeNs > TICK_NS;
      return isSettled && state === stateOf(stats) ? sha256 : undefined;
    } catch {
      return undefined;
    }
  };
  const note = async (path: string, { stats, sha256 }: { stats: BigIntStats; sha256: string }) => {
    const file = noteOf(path);
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, renderJson({ state: stateOf(stats), sha256 }));
    } catch {
      // Without it the file is read again the next time.
    }
  };

  return {
    of: async (path, signal) => {
      const stats = await stat(path, { bigint: true });
      if (stats.size <= SMALL_BYTES) return digestOf(path, signal);
      const found = await known(path, stats);
      if (found !== undefined) return found;
      const sha256 = await digestOf(path, signal);
      const after = await stat(path, { bigint: true });
      if (stateOf(after) === stateOf(stats)) await note(path, { stats, sha256 });
      return sha256;
    },
    note: async (path, sha256) => {
      const stats = await stat(path, { bigint: true });
      if (stats.size > SMALL_BYTES) await note(path, { stats, sha256 });
    },
  };
}

/** SHA-256 of a file in hexadecimal. */
export async function digestOf(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readFileBytes(path, { isLent: true })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

function stateOf({ size, mtimeNs, ino }: BigIntStats): string {
  return [size, mtimeNs, ino].map((part) => part.toString(16)).join('-');
}
