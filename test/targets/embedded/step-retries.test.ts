import { expect, test } from 'vitest';
import { ServiceUnavailableError } from '../../../src/core/errors.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { StepWaiting } from '../../../src/runs/step-waiting.ts';
import { readJsonIfPresent } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
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
    // Word is left by the command line, which has the rights of its user and of no step.
    onDisk: true,
    wrap: (target) => ({
      ...target,
      deps: {
        ...target.deps,
        store: failing(target.deps.store, { key: /\/working\/[^/]+\/slices\//, times: 2 }),
      },
    }),
  });
  const { store } = emulated.target;
  const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));
  const told: RunEvent[] = [];
  const seen: unknown[] = [];
  const result = await runRows(200, emulated, {
    directory,
    onProgress: (event) => told.push(event),
    aroundTasks: (runTask) => async (call) => {
      seen.push(await readJsonIfPresent(store, layout.stepWaiting('prepare'), StepWaiting));
      return runTask(call);
    },
  });
  expect(result.kind).toBe('finished');
  expect(told.filter(({ kind }) => kind === 'notice')).toEqual([
    {
      kind: 'notice',
      message: expect.stringMatching(
        /^The step prepare is tried again\. S3 asks to be left alone: SlowDown\. \(since \d{4}-\S+Z\)$/,
      ),
    },
  ]);
  // Other processes are told as long as it is so.
  const words = seen.filter((word) => word !== undefined) as StepWaiting[];
  const message = 'S3 asks to be left alone: SlowDown.';
  expect(words).toMatchObject(
    [1, 2].map(() => ({ step: 'prepare', error: 'ServiceUnavailableError', message })),
  );
  expect(words[0]?.since).toBe(words[1]?.since);
  expect(await store.head(layout.stepWaiting('prepare'))).toBeUndefined();
});
