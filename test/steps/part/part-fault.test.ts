import { expect, test } from 'vitest';
import { ServiceUnavailableError, UnreadableOutputError } from '../../../src/core/errors.ts';
import { PartFault, reportFault } from '../../../src/steps/part/part-fault.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { readJsonIfPresent } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import type { StepName } from '../../../src/workflow/definition.ts';
import { storeOf } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TURN = { run_uri: 's3://bucket/runs/r', part_id: 'p00001' };
const URI = 's3://bucket/runs/r/faults/p00001.json';

/** Leaves word in a store whose first writes fail; how often it was tried, and what is there. */
async function report(failures: number, step: StepName = 'collect') {
  const store = createDirectoryStore(await temporaryDirectory());
  let writes = 0;
  const failing: ObjectStore = {
    ...store,
    write: async (uri, body) => {
      writes += 1;
      if (writes <= failures) throw new ServiceUnavailableError('The store does not answer.');
      await store.write(uri, body);
    },
  };
  const clock = { now: () => 0 };
  await reportFault(TURN as never, new UnreadableOutputError('The answers are not there.'), {
    store: storeOf(step, failing, { bucket: 'bucket' }),
    clock,
  } as never);
  const fault = await readJsonIfPresent(store, URI, PartFault);
  return { writes, fault };
}

test.each([0, 1, 2])('word of a fault is left although the store fails %d times', async (failures) => {
  const { writes, fault } = await report(failures);
  expect(writes).toBe(failures + 1);
  expect(fault).toMatchObject({ error: 'UnreadableOutputError', message: 'The answers are not there.' });
});

test('Repack may leave word as well', async () => {
  expect(await report(0, 'repack')).toMatchObject({ writes: 1, fault: { error: 'UnreadableOutputError' } });
});

test('a store that stays away hides no fault behind its own', async () => {
  expect(await report(99)).toEqual({ writes: 3, fault: undefined });
});
