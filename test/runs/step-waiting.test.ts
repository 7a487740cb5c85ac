import { expect, test } from 'vitest';
import { runLayout } from '../../src/runs/run-layout.ts';
import { leaveStepWaiting, readStepWaits, stepWaitingText } from '../../src/runs/step-waiting.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const layout = runLayout('s3://bucket/runs/r');
const at = (minutes: number) => Date.UTC(2026, 0, 1, 12, minutes);
const waiting = {
  step: 'merge',
  error: 'ServiceUnavailableError',
  message: 'SlowDown.',
  since: new Date(at(0)).toISOString(),
  tried_at: new Date(at(10)).toISOString(),
};

test('a step that is tried again is told to other processes, until it was tried too long ago', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  await leaveStepWaiting(waiting, layout, store);
  const uris = [layout.submitWaiting('p00001'), layout.stepWaiting('merge'), layout.stepWaiting('dispatch')];
  expect(await readStepWaits(uris, store, at(12))).toEqual([waiting]);
  expect(await readStepWaits(uris, store, at(26))).toEqual([]);
  expect(stepWaitingText(waiting)).toBe(
    'The step merge is tried again. SlowDown. (since 2026-01-01T12:00:00.000Z)',
  );
});

test('where word cannot be left, nothing is thrown: what is tried again says more', async () => {
  const store = createDirectoryStore(await temporaryDirectory());
  const write = () => Promise.reject(new Error('full'));
  await leaveStepWaiting(waiting, layout, { ...store, write });
});
