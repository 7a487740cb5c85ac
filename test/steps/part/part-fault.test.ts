import { expect, test } from 'vitest';
import { ServiceUnavailableError, UnreadableOutputError } from '../../../src/core/errors.ts';
import { PartFault, reportFault } from '../../../src/steps/part/part-fault.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { readJsonIfPresent } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TURN = { run_uri: 's3://bucket/runs/r', part_id: 'p00001' };
const URI = 's3://bucket/runs/r/faults/p00001.json';

/** Leaves word in a store whose first writes fail; how long was waited, and what is there. */
async function report(failures: number) {
  const store = createDirectoryStore(await temporaryDirectory());
  const waitsMs: number[] = [];
  let left = failures;
  const failing: ObjectStore = {
    ...store,
    write: async (uri, body) => {
      left -= 1;
      if (left >= 0) throw new ServiceUnavailableError('The store does not answer.');
      await store.write(uri, body);
    },
  };
  const clock = { now: () => 0, sleep: async (ms: number) => void waitsMs.push(ms) };
  await reportFault(TURN as never, new UnreadableOutputError('The answers are not there.'), {
    store: failing,
    clock,
  } as never);
  return { waitsMs, fault: await readJsonIfPresent(store, URI, PartFault) };
}

test.each([
  [0, []],
  [1, [1000]],
  [2, [1000, 1000]],
])('word of a fault is left although the store fails %d times', async (failures, waits) => {
  const { waitsMs, fault } = await report(failures);
  expect(waitsMs).toEqual(waits);
  expect(fault).toMatchObject({ error: 'UnreadableOutputError', message: 'The answers are not there.' });
});

test('a store that stays away hides no fault behind its own', async () => {
  expect(await report(99)).toEqual({ waitsMs: [1000, 1000], fault: undefined });
});
