import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runLayout } from '../../../src/runs/run-layout.ts';
import { verifyRun } from '../../../src/steps/run/verify-run.ts';
import { writeJson } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { type EmulatedTarget, openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const layout = runLayout('s3://quarry-local/runs/emulated');
const FAULTS = [
  {
    when: { jobs: [2] },
    fault: { kind: 'job-ended' as const, status: 'PartiallyCompleted' as const, fraction: 0.5 },
  },
];

/** A run of three parts that has ended, one of which was merged. */
async function finishedRun() {
  const directory = await temporaryDirectory();
  const emulated = await openEmulatedTarget({ directory, emulator: { faults: FAULTS } });
  const run = () => runRows(450, emulated, { directory, keys: { max_records_per_job: 150, pilot: false } });
  const result = await run();
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', waves: 2 } });
  return { directory, emulated, run, rows: await outputRows(result, directory) };
}

function pathOf(store: ObjectStore, partId: string): string {
  return store.localPath?.(layout.output(partId)) ?? '';
}

async function expectPaidOnce({ emulator }: EmulatedTarget): Promise<void> {
  expect((await emulator.usage()).tracked?.answeredMoreThanOnce).toEqual([]);
}

test('every file of a run is read, and those that are not as they were written are named with what to do', async () => {
  const { emulated } = await finishedRun();
  await using _world = emulated;
  const { store } = emulated.target;
  // Why a job had to wait is no record of a job.
  await writeJson(store, layout.submitWaiting('p00001'), { error: 'ThrottlingError' });
  expect(await verifyRun(layout, store)).toEqual({ outputFiles: 3, rows: 450, broken: [] });

  const [cut, gone, flipped] = ['p00001', 'p00002', 'p00003'].map((part) => pathOf(store, part));
  const bytes = await readFile(flipped ?? '');
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await writeFile(flipped ?? '', bytes);
  const { length } = await readFile(cut ?? '');
  await truncate(cut ?? '', 100);
  await rm(gone ?? '');
  await writeFile(store.localPath?.(layout.slices) ?? '', '');
  const { broken } = await verifyRun(layout, store);
  const advice = (file: string | undefined) =>
    `Delete ${file}, and resume the run: it is collected again from what its job left, and nothing is paid for twice.`;
  expect(broken).toEqual([
    {
      file: store.localPath?.(layout.slices),
      fault: expect.stringMatching(
        /^it should be the list of the slices of a run, and it is empty\. Delete it/,
      ),
      advice: '',
    },
    { file: cut, fault: `It has 100 bytes, and had ${length} when it was written.`, advice: advice(cut) },
    { file: gone, fault: 'It is not there.', advice: advice(gone) },
    {
      file: flipped,
      fault: 'Its content has changed since it was written: its SHA-256 is not the one in the ledger.',
      advice: advice(flipped),
    },
  ]);
});

test('an output file that is cut short or deleted is written anew, and nothing is asked for again', async () => {
  const { directory, emulated, run, rows } = await finishedRun();
  await using _world = emulated;
  const { store } = emulated.target;
  const harms = [
    () => truncate(pathOf(store, 'p00001'), 100),
    () => rm(pathOf(store, 'p00002')),
    () => writeFile(pathOf(store, 'p00003'), ''),
  ];
  for (const harm of harms) {
    await harm();
    const again = await run();
    expect(await outputRows(again, directory)).toEqual(rows);
    expect(await verifyRun(layout, store)).toMatchObject({ broken: [] });
  }
  await expectPaidOnce(emulated);
});

test('an output file that cannot be written again is named, with what is missing', async () => {
  const { emulated, run } = await finishedRun();
  await using _world = emulated;
  const { store } = emulated.target;
  // The other one was merged, and is merged again from what is kept of it.
  const [part = ''] = (
    await Array.fromAsync(['p00001', 'p00002', 'p00003'], async (id) => ({
      id,
      isMerged: (await store.head(layout.merged(id))) !== undefined,
    }))
  )
    .filter(({ isMerged }) => !isMerged)
    .map(({ id }) => id);
  const path = pathOf(store, part);
  await rm(path);
  await store.delete(layout.rows(part));
  const missing = store.localPath?.(layout.rows(part));
  const result = await run();
  expect(result).toMatchObject({
    kind: 'failed',
    error: 'DamagedFileError',
    message: `${path} is missing or not as it was written, and cannot be written again: ${missing}, which it was made from, no longer exists. Restore either of them from a copy.`,
  });
  expect((await store.head(layout.summary)) !== undefined).toBe(true);
  await expectPaidOnce(emulated);
});
