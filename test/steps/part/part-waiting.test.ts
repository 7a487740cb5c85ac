import { expect, test } from 'vitest';
import { progressLines } from '../../../src/cli/views/run-progress-view.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { readRun } from '../../../src/runs/run-store.ts';
import { readUnfinishedRun } from '../../../src/runs/unfinished-run.ts';
import { readWaiting } from '../../../src/steps/part/part-waiting.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { type EmulatedOptions, openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));
type Faults = NonNullable<EmulatedOptions['emulator']>['faults'];

/** Runs rows until a part has waited so often, or to the end; what was told of waiting. */
async function runUntilWaits(rows: number, faults: Faults, waits: number) {
  const directory = await temporaryDirectory();
  const emulated = await openEmulatedTarget({
    directory,
    emulator: faults === undefined ? {} : { faults },
  });
  const told: Extract<RunEvent, { kind: 'waiting' }>[] = [];
  const controller = new AbortController();
  const result = await runRows(rows, emulated, {
    directory,
    signal: controller.signal,
    onProgress: (event) => {
      if (event.kind !== 'waiting') return;
      told.push(event);
      if (told.length === waits) controller.abort();
    },
  });
  return { ...emulated, result, told };
}

test.each<[string, number, Faults, string]>([
  ['a quota', 150, [{ times: 50, fault: { kind: 'create-quota-exceeded' } }], 'JobQuotaExceededError'],
  ['a throttle', 150, [{ times: 50, fault: { kind: 'create-throttled' } }], 'BedrockThrottledError'],
  [
    'a service that does not answer',
    150,
    [{ times: 50, fault: { kind: 'create-server-error' } }],
    'ServiceUnavailableError',
  ],
  [
    'a throttle on demand',
    20,
    [{ times: 500, fault: { kind: 'invoke-throttled' } }],
    'BedrockThrottledError',
  ],
])(
  'a part that waits for %s says why and since when, to whoever runs it and to other processes',
  async (_, rows, faults, error) => {
    await using trial = await runUntilWaits(rows, faults, 3);
    const { store, clock } = { ...trial.target, clock: trial.clock };
    expect(trial.result.kind).toBe('aborted');
    expect(trial.told.map((event) => event.error)).toEqual([error, error, error]);
    const since = trial.told[0]?.since ?? '';
    expect(trial.told.every((event) => event.since === since)).toBe(true);
    expect(Date.parse(since)).toBeLessThan(clock.now());
    expect(await readWaiting('p00001', layout, store)).toMatchObject({ error, since });
    const run = await readRun({ store, bucket: LOCAL_BUCKET }, 'emulated');
    if (run === undefined) throw new Error('There is no run.');
    const progress = await readUnfinishedRun(run, {
      store,
      waitingOf: (partId) => readWaiting(partId, layout, store),
      isPaid: true,
    });
    expect(progress.waiting).toMatchObject([{ error, since, parts: 1 }]);
    expect(progressLines(progress, '.quarry').join('\n')).toMatch(
      new RegExp(`waiting    1 part: .+ \\(since ${since}\\)`),
    );
  },
);

test('a look at a job that is throttled is told, and no more once it is not', async () => {
  await using trial = await runUntilWaits(150, [{ times: 10, fault: { kind: 'get-throttled' } }], 100);
  expect(trial.result.kind).toBe('finished');
  expect(trial.told.length).toBeGreaterThan(0);
  expect(trial.told[0]).toMatchObject({ partId: 'p00001', error: 'BedrockThrottledError' });
  expect(await readWaiting('p00001', layout, trial.target.store)).toBeUndefined();
});

test('a part whose job is there waits for nothing else, though it had to before', async () => {
  await using trial = await runUntilWaits(150, [{ times: 3, fault: { kind: 'create-throttled' } }], 100);
  expect(trial.result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded' } });
  expect(trial.told.length).toBeGreaterThan(0);
  expect(await readWaiting('p00001', layout, trial.target.store)).toBeUndefined();
});
