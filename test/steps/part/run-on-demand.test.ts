import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AccessDeniedError, ServiceUnavailableError } from '../../../src/core/errors.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ANSWER = /\/on-demand\/\d+\.jsonl\.out$/;

/** Runs rows on demand while `failWrite` says which tries to write an answer fail; `heal` ends that. */
async function openTrial(rows: number, failWrite: (attempt: number) => Error | undefined) {
  const directory = await temporaryDirectory();
  const attempts = new Map<string, number>();
  let isHealed = false;
  const withFaults = (store: ObjectStore): ObjectStore => ({
    ...store,
    write: async (uri, body) => {
      if (ANSWER.test(uri) && !isHealed) {
        const attempt = (attempts.get(uri) ?? 0) + 1;
        attempts.set(uri, attempt);
        const error = failWrite(attempt);
        if (error !== undefined) throw error;
      }
      return store.write(uri, body);
    },
  });
  const emulated = await openEmulatedTarget({
    directory,
    wrap: (target) => ({ ...target, deps: { ...target.deps, store: withFaults(target.deps.store) } }),
  });
  return {
    run: () => runRows(rows, emulated, { directory }),
    usage: () => emulated.emulator.usage(),
    heal: () => {
      isHealed = true;
    },
    [Symbol.asyncDispose]: () => emulated[Symbol.asyncDispose](),
  };
}

test('an answer that was paid for is written again and again while the store fails, and asked for once', async () => {
  await using trial = await openTrial(12, (attempt) =>
    attempt === 6 ? undefined : new ServiceUnavailableError('Slow down.'),
  );
  expect(await trial.run()).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', on_demand_records: 12, attempts: [{ attempts: 1, rows: 12 }] },
  });
  const { onDemand, tracked } = await trial.usage();
  expect(onDemand.calls).toBe(12);
  expect(tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);
});

test('where the store takes no answer at all, no more are asked for than were under way, and it is said', async () => {
  const denied = new Error('write');
  await using trial = await openTrial(40, () => new AccessDeniedError('No writes.', { cause: denied }));
  expect(await trial.run()).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining(
      '4 answers that were paid for could not be stored, and must be requested again: No writes.',
    ),
  });
  expect((await trial.usage()).onDemand.calls).toBe(4);
  trial.heal();
  expect(await trial.run()).toMatchObject({ kind: 'finished', summary: { rows: { succeeded: 40 } } });
  expect((await trial.usage()).onDemand.calls).toBe(44);
});

test('a text with a line separator of Unicode, which JSON has raw, is one record', async () => {
  const directory = await temporaryDirectory();
  const names = ['one\u2028two', 'three\u2029', '\u0085four'];
  await writeFile(join(directory, 'rows.csv'), `name\n${names.join('\n')}\n`);
  await using emulated = await openEmulatedTarget({ directory });
  const result = await runRows(names.length, emulated, { directory });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', on_demand_records: 3 } });
});

test('answers that take longer than a call may are asked for by several calls, each once', async () => {
  const directory = await temporaryDirectory();
  let answers = 0;
  let calls = 0;
  const answerMs = 250_000;
  await using emulated = await openEmulatedTarget({
    directory,
    wrap: ({ deps, ...target }) => ({
      ...target,
      deps: {
        ...deps,
        clock: { ...deps.clock, now: () => deps.clock.now() + answers * answerMs },
        bedrock: {
          ...deps.bedrock,
          invoke: (...call) => {
            answers += 1;
            return deps.bedrock.invoke(...call);
          },
        },
      },
    }),
  });
  const result = await runRows(30, emulated, {
    directory,
    aroundTasks: (runTask) => (call) => {
      if (call.stateName === 'Run on demand') calls += 1;
      return runTask(call);
    },
  });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', on_demand_records: 30 } });
  expect(calls).toBeGreaterThan(2);
  expect((await emulated.emulator.usage()).onDemand.calls).toBe(30);
});
