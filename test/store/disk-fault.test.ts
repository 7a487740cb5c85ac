import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../src/core/clock.ts';
import { AccessDeniedError, DiskFullError } from '../../src/core/errors.ts';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { createDirectoryStore, localPathOf } from '../../src/store/directory-store.ts';
import { diskFaultOf } from '../../src/store/disk-fault.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { type LocalRunResult, runLocally } from '../../src/targets/embedded/run-locally.ts';
import { openLocalTarget, sha256 } from '../../src/targets/local/local-target.ts';
import { stageDataset } from '../../src/targets/local/stage-dataset.ts';
import { startEmulatorProcess } from '../support/quarry-process.ts';
import { runQuarry } from '../support/run-quarry.ts';
import { canMount, mountDisk } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';
const ROWS = 260;

async function writeDataset(): Promise<string> {
  const file = join(await temporaryDirectory(), 'rows.csv');
  const lines = Array.from({ length: ROWS }, (_, index) => `${index},${'padding '.repeat(20)}`);
  await writeFile(file, `n,pad\n${lines.join('\n')}\n`);
  return file;
}

async function expectAllAnswered(paths: string[]): Promise<void> {
  const out = await Array.fromAsync(readResults(paths, {}));
  expect(out.map(({ response }) => response)).toEqual(
    Array.from({ length: ROWS }, (_, index) => simulatedAnswer(MODEL, `Say ${index}`)),
  );
}

const FLAGS = ['--model-id', MODEL, '--prompt-template', 'Say {n}', '--run-id', 'mine', '--json'];

test.runIf(canMount)(
  'a run on a disk that fills up says so each time, and goes on once there is space',
  async () => {
    const { path, remount } = await mountDisk('16k');
    const dir = join(path, 'store');
    const file = await writeDataset();
    const said: string[] = [];
    let kib = 16;
    let outcome = await runQuarry('run', file, '--dir', dir, ...FLAGS);
    while (outcome.status === 1 && kib < 8192) {
      expect(outcome.err).toMatch(
        /Error: The disk is full \(.*quarry-disk-.*\)\. Free some space[\s\S]*\(DiskFullError\)/s,
      );
      said.push(outcome.err);
      kib = Math.ceil(kib * 1.5);
      remount(`size=${kib}k`);
      outcome = await runQuarry('run', file, '--dir', dir, ...FLAGS);
    }
    expect(outcome.status, outcome.err).toBe(0);
    expect(said.length).toBeGreaterThan(3);
    await expectAllAnswered(JSON.parse(outcome.out).output_paths);
  },
  120_000,
);

test.runIf(canMount)(
  'a disk that may not be written to is named, and the run goes on when it may',
  async () => {
    const { path, remount } = await mountDisk('8192k');
    const dir = join(path, 'store');
    const file = await writeDataset();
    await mkdir(dir);
    const emulator = await startEmulatorProcess(dir);
    const run = () => runQuarry('run', file, '--dir', dir, '--emulator', emulator.url, ...FLAGS);
    await stageDataset(file, { directory: dir, bucket: 'quarry-local', hash: sha256 });
    remount('ro');
    const refused = await run();
    expect(refused.status).toBe(1);
    expect(refused.err).toMatch(
      /Error: The disk may not be written to \(.*quarry-disk-[\s\S]*\(AccessDeniedError\)/,
    );
    remount('rw');
    const outcome = await run();
    expect(outcome.status, outcome.err).toBe(0);
    await expectAllAnswered(JSON.parse(outcome.out).output_paths);
  },
  120_000,
);

test.runIf(canMount)(
  'a folder that may not be written to, or cannot be made, is named at the first step of every command',
  async () => {
    const { path, remount } = await mountDisk('8192k');
    const file = await writeDataset();
    await mkdir(join(path, 'store'));
    remount('ro');
    for (const dir of [join(path, 'store'), join(path, 'missing', 'store')]) {
      const commands = [
        ['run', file, '--dir', dir, ...FLAGS],
        ['jobs', '--dir', dir],
        ['emulate', '--port', '0', '--dir', dir],
      ];
      for (const command of commands) {
        const { status, err } = await runQuarry(...command);
        expect(status, err).toBe(1);
        expect(err).toMatch(
          /Error: The disk may not be written to \(.*quarry-disk-[\s\S]*\(AccessDeniedError\)/,
        );
      }
    }
    remount('rw');
  },
  120_000,
);

/** A store whose write number `failing` fails, before or after it has taken effect. */
function failAt(store: ObjectStore, failing: number, isAfter: boolean): ObjectStore {
  let writes = 0;
  const guarded = async <T>(uri: string, write: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes !== failing) return write();
    if (isAfter) await write();
    throw new DiskFullError(`The disk is full (${uri}).`);
  };
  return {
    ...store,
    write: (uri, body) => guarded(uri, () => store.write(uri, body)),
    writeIfAbsent: (uri, body) => guarded(uri, () => store.writeIfAbsent(uri, body)),
    putFile: (from, uri) => guarded(uri, () => store.putFile(from, uri)),
  };
}

test('whichever write finds the disk full, before or after it took effect, the same run again answers every row', async () => {
  const file = await writeDataset();
  let failed = 0;
  for (let failing = 1; failing <= 40; failing += 3) {
    const directory = await temporaryDirectory();
    const { uri: s3_uri } = await stageDataset(file, { directory, bucket: 'quarry-local', hash: sha256 });
    const run = async (wrap: (store: ObjectStore) => ObjectStore): Promise<LocalRunResult> => {
      await using target = await openLocalTarget({
        directory,
        clock: createVirtualClock(),
        version: '0.0.0',
      });
      const store = wrap(target.store);
      const keys = {
        s3_uri,
        model_id: MODEL,
        prompt_template: 'Say {n}',
        run_id: 'mine',
        max_records_per_job: 130,
      };
      return await runLocally(keys, {
        target: { ...target, store, deps: { ...target.deps, store } },
        random: () => 0.5,
      });
    };
    const first = await run((store) => failAt(store, failing, failing % 2 === 0)).catch((error: Error) => ({
      kind: 'failed' as const,
      error: error.name,
    }));
    if (first.kind === 'failed') {
      expect(first.error).toBe('DiskFullError');
      failed += 1;
    }
    const result = await run((store) => store);
    if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
    expect(result.summary).toMatchObject({ status: 'succeeded', jobs: 2 });
    await expectAllAnswered(
      result.summary.output_uris.map((uri) => localPathOf(directory, uri as `s3://${string}`)),
    );
  }
  expect(failed).toBeGreaterThan(5);
}, 180_000);

test.runIf(canMount)(
  'a write that does not fit leaves the old object, and nothing of the new one',
  async () => {
    const { path } = await mountDisk('64k');
    const store = createDirectoryStore(path);
    await store.write('s3://bucket/a.txt', 'old');
    const large = 'x'.repeat(200_000);
    await expect(store.write('s3://bucket/a.txt', large)).rejects.toThrow(DiskFullError);
    await expect(store.writeIfAbsent('s3://bucket/b.txt', large)).rejects.toThrow(DiskFullError);
    const source = join(await temporaryDirectory(), 'large');
    await writeFile(source, large);
    await expect(store.putFile(source, 's3://bucket/c.txt')).rejects.toThrow(DiskFullError);
    expect((await Array.fromAsync(store.list('s3://bucket/'))).map(({ uri }) => uri)).toEqual([
      's3://bucket/a.txt',
    ]);
    expect(Buffer.from(await store.read('s3://bucket/a.txt')).toString()).toBe('old');
  },
);

test('faults of the disk are told by code and by DuckDB’s words, and nothing else is taken for one', () => {
  const errno = (code: string) => Object.assign(new Error(`${code}: write`), { code, path: '/disk/a' });
  const full = diskFaultOf(errno('ENOSPC'));
  expect(full).toBeInstanceOf(DiskFullError);
  expect(full?.message).toContain('/disk/a');
  expect(diskFaultOf(full)).toBe(full);
  const words =
    'IO Error: Could not write all bytes to file "/disk/b": wanted=9 wrote=0: No space left on device';
  expect(diskFaultOf(new Error(words))?.message).toContain('/disk/b');
  const denied = diskFaultOf(errno('EROFS'));
  expect(denied).toBeInstanceOf(AccessDeniedError);
  expect(diskFaultOf(denied)).toBe(denied);
  expect(diskFaultOf(new Error('IO Error: Cannot open file "/disk/c": Permission denied'))).toBeInstanceOf(
    AccessDeniedError,
  );
  expect(diskFaultOf(new AccessDeniedError('Bedrock says no.'))).toBeUndefined();
  expect(diskFaultOf(new Error('No space left on device'))).toBeUndefined();
  expect(diskFaultOf('text')).toBeUndefined();
});

test('what may not be read is not called writing', () => {
  const denied = (syscall: string, code = 'EACCES') =>
    Object.assign(new Error(`${code}: permission denied, ${syscall} '/data/x'`), {
      code,
      syscall,
      path: '/data/x',
    });
  const says = (error: Error, options = {}) => diskFaultOf(error, undefined, options);
  expect(says(denied('scandir'))).toMatchObject({
    name: 'AccessDeniedError',
    message: "The disk may not be read (/data/x: EACCES: permission denied, scandir '/data/x').",
  });
  expect(says(denied('open'), { isReading: true })?.message).toContain('The disk may not be read (/data/x: ');
  expect(says(denied('open'))?.message).toContain('The disk may not be written to (/data/x: ');
  expect(says(denied('open', 'EROFS'), { isReading: true })?.message).toContain('may not be written to');
});
