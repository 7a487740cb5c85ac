import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
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
  // One at a time decides what comes and what goes.
  const turn = pLimit(1);
  let bytes = 0;

  const bring = (entry: Entry): void => {
    bytes += entry.info.size;
    entry.wasRead = false;
    entry.here = (async () => {
      const file = await store.fetchFile(entry.info.uri);
      // Not every system lets everyone link files.
      await symlink(file.path, entry.path).catch(() => copyFile(file.path, entry.path));
      return file;
    })();
    // Whoever wants the file awaits it; others may have it brought in vain.
    entry.here.catch(() => {});
  };
  const letGo = async (entry: Entry): Promise<void> => {
    const file = await entry.here?.catch(() => undefined);
    if (entry.here !== undefined) bytes -= entry.info.size;
    entry.here = undefined;
    await rm(entry.path, { force: true });
    await file?.[Symbol.asyncDispose]();
  };
  /** Lets go of what was read, the first files first; false where that is not enough. */
  const makeRoom = async (needed: number): Promise<boolean> => {
    for (const entry of entries) {
      if (bytes + needed <= mostBytes) break;
      if (entry.here !== undefined && entry.wasRead && entry.readers === 0) await letGo(entry);
    }
    return bytes + needed <= mostBytes;
  };
  const bringAhead = async (from: number): Promise<void> => {
    let ahead = 0;
    for (const entry of entries.slice(from, from + MOST_AHEAD)) {
      ahead += entry.info.size;
      if (ahead > MOST_AHEAD_BYTES) return;
      if (entry.here !== undefined) continue;
      if (!(await makeRoom(entry.info.size))) return;
      bring(entry);
    }
  };
  const hold = async (entry: Entry, index: number): Promise<AsyncDisposable> => {
    entry.readers += 1;
    await turn(async () => {
      if (entry.here === undefined) {
        await makeRoom(entry.info.size);
        bring(entry);
      }
      await bringAhead(index + 1);
    });
    const { here } = entry;
    try {
      await here;
    } catch (error) {
      entry.readers -= 1;
      // Brought anew, should anyone want it again.
      await turn(() => (entry.here === here ? letGo(entry) : undefined));
      throw error;
    }
    return {
      [Symbol.asyncDispose]: async () => {
        entry.readers -= 1;
        entry.wasRead = true;
      },
    };
  };
  return {
    files: entries.map((entry, index) => {
      const { uri, size, etag } = entry.info;
      return { uri, bytes: size, etag, path: entry.path, hold: () => hold(entry, index) };
    }),
    [Symbol.asyncDispose]: async () => {
      await turn(async () => {
        for (const entry of entries) await letGo(entry);
      });
      await rm(directory, { recursive: true, force: true });
    },
  };
}
