import { expect, test } from 'vitest';
import { ServiceUnavailableError } from '../../../src/core/errors.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A store that cannot write some objects the first times. */
function failing(store: ObjectStore, { key, times }: { key: RegExp; times: number }): ObjectStore {
  let left = times;
  return {
    ...store,
    write: async (uri, body) => {
      if (key.test(uri) && left > 0) {
        left -= 1;
        throw new ServiceUnavailableError('S3 asks to be left alone: SlowDown.');
      }
      return store.write(uri, body);
    },
  };
}

test('a step that is tried again says why and since when, once for each reason', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    wrap: (target) => ({
      ...target,
      deps: {
        ...target.deps,
        store: failing(target.deps.store, { key: /\/working\/[^/]+\/slices\//, times: 2 }),
      },
    }),
  });
  const told: RunEvent[] = [];
  const result = await runRows(200, emulated, { directory, onProgress: (event) => told.push(event) });
  expect(result.kind).toBe('finished');
  expect(told.filter(({ kind }) => kind === 'notice')).toEqual([
    {
      kind: 'notice',
      message: expect.stringMatching(
        /^The step prepare is tried again\. S3 asks to be left alone: SlowDown\. \(since \d{4}-\S+Z\)$/,
      ),
    },
  ]);
});
