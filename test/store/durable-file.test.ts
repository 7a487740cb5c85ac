import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { replaceFileForGood } from '../../src/emulator/jobs/state-file.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { makeFolder } from '../../src/store/durable-file.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** Whether a file was there under its name when bytes were put on the disk, and when names were; in turn. */
async function watchSyncs(path: string): Promise<{ bytes: boolean[]; names: boolean[] }> {
  const seen = { bytes: [] as boolean[], names: [] as boolean[] };
  const probe = join(await temporaryDirectory(), 'probe');
  await writeFile(probe, '');
  await using handle = await open(probe);
  const kind = Object.getPrototypeOf(handle) as FileHandle;
  const { datasync, sync } = kind;
  vi.spyOn(kind, 'datasync').mockImplementation(function (this: FileHandle) {
    seen.bytes.push(existsSync(path));
    return datasync.call(this);
  });
  vi.spyOn(kind, 'sync').mockImplementation(function (this: FileHandle) {
    seen.names.push(existsSync(path));
    return sync.call(this);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  return seen;
}

test('an object’s bytes are on the disk before it has its name, and its name before the write has succeeded', async () => {
  const root = await temporaryDirectory();
  await makeFolder(join(root, 'bucket'));
  const path = join(root, 'bucket', 'plan.json');
  const seen = await watchSyncs(path);
  await createDirectoryStore(root).write('s3://bucket/plan.json', '{}');
  expect(seen).toEqual({ bytes: [false], names: [true] });
});

test('a job that the emulator has taken is on the disk before anybody hears of it', async () => {
  const path = join(await temporaryDirectory(), 'job.json');
  const seen = await watchSyncs(path);
  await replaceFileForGood(path, '{}');
  expect(seen).toEqual({ bytes: [false], names: [true] });
  expect(readFileSync(path, 'utf8')).toBe('{}');
});

test('folders that had to be made have their names on the disk', async () => {
  const root = await temporaryDirectory();
  const path = join(root, 'a', 'b', 'c');
  const seen = await watchSyncs(path);
  expect(await makeFolder(path)).toBe(true);
  expect(seen.names).toEqual([true, true, true]);
  expect(await makeFolder(path)).toBe(false);
});
