import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { LocalFile, ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import type { LocalDatasetFile } from '../sources/describe-dataset.ts';
import type { SourceFile } from './source-bytes.ts';

/**
 * Bytes of files that are here at once, unless a single one has more. Of Lambda's 10 GB of `/tmp`, it leaves a Plan or
 * a Prepare room for what it writes itself.
 */
const MOST_HELD_BYTES = 4_000_000_000;
/** Files that are here at once: each is several names on the disk. */
const MOST_HELD_FILES = 10_000;
/** Files that are fetched ahead of the one being read, and their bytes. */
const MOST_AHEAD = 15;
const MOST_AHEAD_BYTES = 500_000_000;

/** An object that is here, or as much of it as was asked for. */
export type BroughtFile = Pick<SourceFile, 'fetchRows'> & AsyncDisposable;

/** Objects that are read from one to the next: they come here when their turn comes, and make room again. */
export interface HeldFiles extends AsyncDisposable {
  /** In the order that was given; each has `hold`. */
  files: LocalDatasetFile[];
}

interface Entry {
  info: ObjectInfo;
  path: string;
  /** Undefined while the object is not here, nor on its way. */
  here?: Promise<BroughtFile> | undefined;
  readers: number;
  wasRead: boolean;
}

/** How objects are brought, and how many of them are here at once. */
export interface HoldOptions {
  scratchDirectory: string;
  /** Makes a file of an object at the path, until it is disposed of. */
  bring: (object: ObjectInfo, path: string) => Promise<BroughtFile>;
  /** What one takes here. */
  bytesOf: (object: ObjectInfo) => number;
  /** @default MOST_HELD_BYTES */
  mostBytes?: number;
  /** @default MOST_HELD_FILES */
  mostFiles?: number;
}

/** Brings objects whole. */
export function wholeObjects(store: Pick<ObjectStore, 'fetchFile'>): Pick<HoldOptions, 'bring' | 'bytesOf'> {
  return { bring: (object, path) => fetchInto(object, path, store), bytesOf: ({ size }) => size };
}

/** Makes objects readable as files without having all of them here. Nothing is fetched yet. */
export async function openHeldFiles(
  objects: readonly ObjectInfo[],
  { scratchDirectory, mostBytes = MOST_HELD_BYTES, mostFiles = MOST_HELD_FILES, ...how }: HoldOptions,
): Promise<HeldFiles> {
  await mkdir(scratchDirectory, { recursive: true });
  const directory = await mkdtemp(join(scratchDirectory, 'held-'));
  const entries = objects.map(
    (info, index): Entry => ({ info, path: join(directory, String(index)), readers: 0, wasRead: false }),
  );
  const shelf = new Shelf(entries, { ...how, mostBytes, mostFiles });
  // One at a time decides what comes and what goes.
  const turn = pLimit(1);
  return {
    files: entries.map((entry, index) => {
      const { uri, size, etag } = entry.info;
      return {
        uri,
        bytes: size,
        etag,
        path: entry.path,
        hold: () => hold(entry, { shelf, turn, index }),
        fetchRows: async (columns, window) => (await entry.here)?.fetchRows?.(columns, window),
      };
    }),
    [Symbol.asyncDispose]: async () => {
      await turn(() => shelf.clear());
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Keeps a file here until it is disposed of. */
async function hold(
  entry: Entry,
  { shelf, turn, index }: { shelf: Shelf; turn: LimitFunction; index: number },
): Promise<AsyncDisposable> {
  entry.readers += 1;
  await turn(() => shelf.bringFrom(index));
  const { here } = entry;
  try {
    await here;
  } catch (error) {
    entry.readers -= 1;
    // Brought anew, should anyone want it again.
    await turn(() => (entry.here === here ? shelf.letGo(entry) : undefined));
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      entry.readers -= 1;
      entry.wasRead = true;
    },
  };
}

/** The files that are here, and their bytes. Whoever calls it has the turn. */
class Shelf {
  readonly #entries: readonly Entry[];
  readonly #options: ShelfOptions;
  /** Those that are here or on their way, the ones that came first before the others. */
  readonly #here = new Set<Entry>();
  #bytes = 0;

  constructor(entries: readonly Entry[], options: ShelfOptions) {
    this.#entries = entries;
    this.#options = options;
  }

  /** Sees to it that a file comes, whatever room there is, and those after it as far as they have room. */
  async bringFrom(index: number): Promise<void> {
    const [entry] = this.#entries.slice(index, index + 1);
    if (entry !== undefined && entry.here === undefined) {
      await this.#makeRoom(this.#bytesOf(entry));
      this.#bring(entry);
    }
    let ahead = 0;
    for (const next of this.#entries.slice(index + 1, index + 1 + MOST_AHEAD)) {
      ahead += this.#bytesOf(next);
      if (ahead > MOST_AHEAD_BYTES) return;
      if (next.here !== undefined) continue;
      if (!(await this.#makeRoom(this.#bytesOf(next)))) return;
      this.#bring(next);
    }
  }

  async letGo(entry: Entry): Promise<void> {
    const file = await entry.here?.catch(() => undefined);
    if (entry.here !== undefined) this.#bytes -= this.#bytesOf(entry);
    entry.here = undefined;
    this.#here.delete(entry);
    await rm(entry.path, { force: true });
    await file?.[Symbol.asyncDispose]();
  }

  async clear(): Promise<void> {
    await pLimit(MOST_AHEAD).map([...this.#here], (entry) => this.letGo(entry));
  }

  #bytesOf({ info }: Entry): number {
    return this.#options.bytesOf(info);
  }

  #bring(entry: Entry): void {
    this.#bytes += this.#bytesOf(entry);
    this.#here.add(entry);
    entry.wasRead = false;
    entry.here = this.#options.bring(entry.info, entry.path);
    // Whoever wants the file awaits it; others may have it brought in vain.
    entry.here.catch(() => {});
  }

  /** Lets go of what was read, what came first before the rest; false where that is not enough. */
  async #makeRoom(needed: number): Promise<boolean> {
    for (const entry of this.#here) {
      if (this.#hasRoom(needed)) break;
      if (entry.wasRead && entry.readers === 0) await this.letGo(entry);
    }
    return this.#hasRoom(needed);
  }

  #hasRoom(needed: number): boolean {
    const { mostBytes, mostFiles } = this.#options;
    return this.#bytes + needed <= mostBytes && this.#here.size < mostFiles;
  }
}

type ShelfOptions = Required<Omit<HoldOptions, 'scratchDirectory'>>;

async function fetchInto(
  object: ObjectInfo,
  path: string,
  store: Pick<ObjectStore, 'fetchFile'>,
): Promise<LocalFile> {
  const file = await store.fetchFile(object.uri, object);
  // Not every system lets everyone link files.
  await symlink(file.path, path).catch(() => copyFile(file.path, path));
  return file;
}
