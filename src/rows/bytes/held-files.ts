import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import type { LocalFile, ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import type { LocalDatasetFile } from '../sources/describe-dataset.ts';

/**
 * Bytes of files that are here at once, unless a single one has more. Of Lambda's 10 GB of `/tmp`, it leaves a Plan or
 * a Prepare room for what it writes itself.
 */
const MOST_HELD_BYTES = 4_000_000_000;
/** Files that are fetched ahead of the one being read, and their bytes. */
const MOST_AHEAD = 15;
const MOST_AHEAD_BYTES = 500_000_000;

/** Objects that are read from one to the next, each whole: they come here when their turn comes, and make room again. */
export interface HeldFiles extends AsyncDisposable {
  /** In the order that was given; each has `hold`. */
  files: LocalDatasetFile[];
}

interface Entry {
  info: ObjectInfo;
  path: string;
  /** Undefined while the object is not here, nor on its way. */
  here?: Promise<LocalFile> | undefined;
  readers: number;
  wasRead: boolean;
}

/** What the objects are held with. */
export interface HoldOptions {
  store: ObjectStore;
  scratchDirectory: string;
  /** @default MOST_HELD_BYTES */
  mostBytes?: number;
}

/** Makes objects readable as files without having all of them here. Nothing is fetched yet. */
export async function openHeldFiles(
  objects: readonly ObjectInfo[],
  { store, scratchDirectory, mostBytes = MOST_HELD_BYTES }: HoldOptions,
): Promise<HeldFiles> {
  await mkdir(scratchDirectory, { recursive: true });
  const directory = await mkdtemp(join(scratchDirectory, 'held-'));
  const entries = objects.map(
    (info, index): Entry => ({ info, path: join(directory, String(index)), readers: 0, wasRead: false }),
  );
  const shelf = new Shelf(entries, { store, mostBytes });
  // One at a time decides what comes and what goes.
  const turn = pLimit(1);
  return {
    files: entries.map((entry, index) => {
      const { uri, size, etag } = entry.info;
      return { uri, bytes: size, etag, path: entry.path, hold: () => hold(entry, { shelf, turn, index }) };
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
  readonly #store: ObjectStore;
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(
    entries: readonly Entry[],
    { store, mostBytes }: Required<Pick<HoldOptions, 'store' | 'mostBytes'>>,
  ) {
    this.#entries = entries;
    this.#store = store;
    this.#mostBytes = mostBytes;
  }

  /** Sees to it that a file comes, whatever room there is, and those after it as far as they have room. */
  async bringFrom(index: number): Promise<void> {
    const [entry] = this.#entries.slice(index, index + 1);
    if (entry !== undefined && entry.here === undefined) {
      await this.#makeRoom(entry.info.size);
      this.#bring(entry);
    }
    let ahead = 0;
    for (const next of this.#entries.slice(index + 1, index + 1 + MOST_AHEAD)) {
      ahead += next.info.size;
      if (ahead > MOST_AHEAD_BYTES) return;
      if (next.here !== undefined) continue;
      if (!(await this.#makeRoom(next.info.size))) return;
      this.#bring(next);
    }
  }

  async letGo(entry: Entry): Promise<void> {
    const file = await entry.here?.catch(() => undefined);
    if (entry.here !== undefined) this.#bytes -= entry.info.size;
    entry.here = undefined;
    await rm(entry.path, { force: true });
    await file?.[Symbol.asyncDispose]();
  }

  async clear(): Promise<void> {
    for (const entry of this.#entries) await this.letGo(entry);
  }

  #bring(entry: Entry): void {
    this.#bytes += entry.info.size;
    entry.wasRead = false;
    entry.here = fetchInto(entry, this.#store);
    // Whoever wants the file awaits it; others may have it brought in vain.
    entry.here.catch(() => {});
  }

  /** Lets go of what was read, the first files first; false where that is not enough. */
  async #makeRoom(needed: number): Promise<boolean> {
    for (const entry of this.#entries) {
      if (this.#bytes + needed <= this.#mostBytes) break;
      if (entry.here !== undefined && entry.wasRead && entry.readers === 0) await this.letGo(entry);
    }
    return this.#bytes + needed <= this.#mostBytes;
  }
}

async function fetchInto({ info, path }: Entry, store: ObjectStore): Promise<LocalFile> {
  const file = await store.fetchFile(info.uri);
  // Not every system lets everyone link files.
  await symlink(file.path, path).catch(() => copyFile(file.path, path));
  return file;
}
