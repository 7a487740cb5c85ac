import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Uri } from '../../src/core/s3-uri.ts';
import type { ByteRange, ObjectStore } from '../../src/store/object-store.ts';

/** A store that gives no file of its own away, as S3, and remembers what was read. */
export interface RemoteStore {
  store: ObjectStore;
  /** Every range that was streamed. */
  ranges: (ByteRange & { uri: S3Uri })[];
  /** Every object that was downloaded whole. */
  downloads: S3Uri[];
}

/** The objects of `inner`, from afar. */
export function asRemote(inner: ObjectStore): RemoteStore {
  const { localPath: _, ...rest } = inner;
  const ranges: RemoteStore['ranges'] = [];
  const downloads: S3Uri[] = [];
  const store: ObjectStore = {
    ...rest,
    readStream: async (uri, range) => {
      const { size = 0 } = (await inner.head(uri)) ?? {};
      ranges.push({ uri, ...(range ?? { start: 0, end: size - 1 }) });
      return inner.readStream(uri, range);
    },
    fetchFile: async (uri) => {
      downloads.push(uri);
      const directory = await mkdtemp(join(tmpdir(), 'quarry-remote-'));
      const path = join(directory, 'object');
      await writeFile(path, await inner.read(uri));
      return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
    },
  };
  return { store, ranges, downloads };
}

/** The bytes of ranges, each counted as often as it was read. */
export function bytesOf(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0);
}

/** Bytes that two lists of ranges have in common. */
export function overlapOf(one: readonly ByteRange[], other: readonly ByteRange[]): number {
  let bytes = 0;
  for (const a of one) {
    for (const b of other) {
      bytes += Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start) + 1);
    }
  }
  return bytes;
}
