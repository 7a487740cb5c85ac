import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LedgerMismatchError } from '../../../src/core/errors.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { readResults } from '../../../src/rows/results/read-results.ts';
import { recountResults } from '../../../src/rows/results/recount-results.ts';
import { resultObjects } from '../../../src/rows/results/result-objects.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { asRemote, bytesOf } from '../../support/remote-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FILES = 300;
const ROWS = 2000;

/** So many result files of text or embeddings, one row in ten of which has no answer. */
async function putResults(answer: string, files: number, errorCode = `CASE WHEN i % 10 = 0 THEN '500' END`) {
  const directory = await temporaryDirectory();
  const store = createDirectoryStore(join(directory, 'store'));
  const path = join(directory, 'result.parquet');
  await using db = await openDuckDb({ memoryMb: 512, threads: 2, scratchDirectory: directory });
  await db.run(
    `COPY (SELECT md5(i::VARCHAR) AS text, CASE WHEN i % 10 <> 0 THEN ${answer} END AS response, ${errorCode} AS error_code, 1 AS attempts FROM range(${ROWS}) r(i)) TO ${sqlText(path)} (FORMAT PARQUET)`,
  );
  const uris = Array.from(
    { length: files },
    (_, part) => `s3://bucket/runs/r/output/p${part}.parquet` as const,
  );
  // putFile takes the file away.
  for (const uri of uris) {
    const copy = join(directory, 'copy.parquet');
    await copyFile(path, copy);
    await store.putFile(copy, uri);
  }
  return { directory, store, uris };
}

/** A remote store that also counts, at every read, the files that are here. */
function watched(inner: ObjectStore, scratchDirectory: string) {
  const remote = asRemote(inner);
  let most = 0;
  const store: ObjectStore = {
    ...remote.store,
    readStream: async (uri, range) => {
      most = Math.max(most, (await readdir(scratchDirectory).catch(() => [])).length);
      return remote.store.readStream(uri, range);
    },
  };
  return { ...remote, store, mostHere: () => most };
}

test.each([
  ['text', `repeat(md5((i * 7)::VARCHAR), 20)`, FILES],
  ['embeddings', `list_transform(range(256), x -> (hash(x + i) % 1000)::FLOAT / 7)`, 20],
])(
  'results of %s are recounted by a small part of their bytes, one file after the other',
  async (_, answer, files) => {
    const { directory, store, uris } = await putResults(answer, files);
    const scratchDirectory = join(directory, 'scratch');
    const { store: remote, ranges, downloads, mostHere } = watched(store, scratchDirectory);
    const counted = await recountResults(
      resultObjects(uris, { store: remote, scratchDirectory }),
      'response',
    );
    const total = files * ROWS;
    expect(counted.rows).toEqual({ total, succeeded: 0.9 * total, failed: 0.1 * total, not_sent: 0 });
    expect(downloads).toEqual([]);
    expect(mostHere()).toBe(1);
    expect(await readdir(scratchDirectory)).toEqual([]);
    const sizes = await Promise.all(uris.map(async (uri) => (await store.head(uri))?.size ?? 0));
    const all = sizes.reduce((sum, size) => sum + size, 0);
    // The end of each file is read for its footer, 64 KiB at once.
    expect(bytesOf(ranges)).toBeLessThan(Math.min(0.6 * all, files * 96 * 1024));
  },
  240_000,
);

test('a result whose footer has fewer answers than rows without an error is not called whole', async () => {
  const { directory, store, uris } = await putResults(`'yes'`, 1, 'CAST(NULL AS VARCHAR)');
  const { store: remote } = asRemote(store);
  const files = resultObjects(uris, { store: remote, scratchDirectory: join(directory, 'scratch') });
  await expect(recountResults(files, 'response')).rejects.toThrow(LedgerMismatchError);
  await expect(recountResults(files, 'response')).rejects.toThrow(
    'A result file has 0 rows that say why they have no answer, and 200 without one.',
  );
});

test('result objects are read as files are', async () => {
  const { directory, store, uris } = await putResults(`'yes'`, 2);
  const { store: remote } = asRemote(store);
  const from = (place: ObjectStore) =>
    Array.fromAsync(
      readResults(resultObjects(uris, { store: place, scratchDirectory: join(directory, 'scratch') }), {}),
    );
  expect(await from(remote)).toEqual(await from(store));
});
