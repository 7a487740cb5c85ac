import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { EmulatorOptions } from '../../../src/emulator/server.ts';
import type { LocalRunResult } from '../../../src/targets/embedded/run-locally.ts';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { followAdvice } from '../../support/harmed-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROWS = 400;
const KEYS = { max_records_per_job: 150, pilot: false };
const EMULATOR: Pick<EmulatorOptions, 'faults'> = {
  faults: [
    { when: { jobs: [1] }, fault: { kind: 'job-ended', status: 'PartiallyCompleted', fraction: 0.4 } },
  ],
};
/** Steps after which a run is broken off, so that its files are those of a run that is under way. */
const POINTS = ['prepare', 'submit', 'collect', 'merge', 'summarize'] as const;

async function runIn(directory: string, breakOffAfter?: string): Promise<LocalRunResult> {
  const clock = createVirtualClock();
  // An emulator that is started again takes whole milliseconds only, as clocks of machines have them.
  const whole = { ...clock, now: () => Math.round(clock.now()) };
  await using emulated = await openEmulatedTarget({
    directory,
    clock: whole,
    emulator: EMULATOR,
    // Bytes that turn are a disk’s: S3 gives no object that is not as it was written.
    onDisk: true,
  });
  const abort = new AbortController();
  const result = await runRows(ROWS, emulated, {
    directory,
    keys: KEYS,
    signal: abort.signal,
    aroundTasks: (runTask) => async (call) => {
      const output = await runTask(call);
      if (breakOffAfter !== undefined && JSON.stringify(call.parameters).includes(breakOffAfter))
        abort.abort();
      return output;
    },
  });
  const { tracked } = await emulated.emulator.usage();
  expect(tracked?.answeredMoreThanOnce).toEqual([]);
  return result;
}

/** Every file that Quarry wrote for the run: not the dataset, and not what jobs left. */
async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(join(directory, 'quarry-local'), { recursive: true });
  return entries.filter((name) => /\.[a-z]+$/.test(name) && !/^datasets|\/model-output\//.test(name)).sort();
}

type Damage = (bytes: Buffer, at: number) => Buffer;
const DAMAGES: Record<string, Damage> = {
  emptied: () => Buffer.alloc(0),
  'cut off': (bytes, at) => bytes.subarray(0, Math.floor(at * bytes.length)),
  'overwritten with zeros': (bytes) => Buffer.alloc(bytes.length),
  'of another kind': () => Buffer.from('{"what": "is this?"}\n'),
  'of one other bit': (bytes, at) => {
    const changed = Buffer.from(bytes);
    const place = Math.floor(at * bytes.length);
    changed[place] = (changed[place] ?? 0) ^ (1 << (place % 7));
    return changed;
  },
  'no text': (bytes, at) => {
    const changed = Buffer.from(bytes);
    changed[Math.floor(at * (bytes.length - 1))] = 0xff;
    return changed;
  },
};

async function expectEveryRow(result: LocalRunResult, directory: string): Promise<void> {
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { total: ROWS, succeeded: ROWS } },
  });
  const rows = await outputRows(result, directory);
  expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: ROWS }, (_, index) => `row ${index}`));
  for (const { name, response } of rows) expect(response).toContain(String(`Say ${name}`.length));
}

test('a damaged file of a run is named, or makes no difference; without it the run ends with every row, and nothing is paid twice', async () => {
  const templates = new Map<string, string>();
  for (const point of POINTS) {
    const directory = await temporaryDirectory();
    await runIn(directory, point);
    templates.set(point, directory);
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...POINTS),
      fc.constantFrom(...Object.keys(DAMAGES)),
      fc.nat(),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      async (point, damage, pick, at) => {
        const directory = await temporaryDirectory();
        await cp(templates.get(point) ?? '', directory, { recursive: true });
        const files = await filesOf(directory);
        const file = join(directory, 'quarry-local', files[pick % files.length] ?? '');
        const original = await readFile(file);
        const harmed = DAMAGES[damage]?.(original, at) ?? Buffer.alloc(0);
        await writeFile(file, harmed);
        const result = await runIn(directory);
        if (result.kind === 'finished') return await expectEveryRow(result, directory);
        expect(result).toMatchObject({ kind: 'failed', error: 'DamagedFileError' });
        await followAdvice((result as { message: string }).message, [
          { path: file, original, how: 'emptied' },
        ]);
        await expectEveryRow(await runIn(directory), directory);
      },
    ),
    { numRuns: Number(process.env.QUARRY_CHAOS_RUNS ?? 12), seed: 20_261_127 },
  );
}, 600_000);
