import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../src/core/clock.ts';
import type { RunEvent } from '../../../src/core/run/run-event.ts';
import { modelServerOf } from '../../../src/emulator/models/model-server.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, outputRows, runEmulated } from '../../support/emulated-run.ts';
import { type DoubleOptions, openModelServer } from '../../support/model-server-double.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROWS = 50;

/** A run of so many rows with a model server, under a virtual clock. */
async function openServedRun(
  count: number,
  instead: DoubleOptions['instead'],
  { maxAttempts = 3, timeoutMs = 300_000 } = {},
) {
  const server = await openModelServer(instead === undefined ? {} : { instead });
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `name\n${Array.from({ length: count }, (_, index) => `row ${index}\n`).join('')}`);
  const clock = createVirtualClock();
  const emulated = await openEmulatedTarget({
    directory,
    clock,
    modelServer: { server: modelServerOf({ url: server.url, timeoutMs }) },
  });
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const events: RunEvent[] = [];
  return {
    server,
    directory,
    clock,
    events,
    run: () =>
      runEmulated(
        {
          s3_uri,
          model_id: MODEL,
          prompt_template: 'Say {name}',
          run_id: 'served',
          max_attempts: maxAttempts,
        },
        {
          target: emulated.target,
          random: () => 0.5,
          onProgress: (event) => events.push(event),
        },
      ),
    [Symbol.asyncDispose]: async () => {
      await emulated[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Runs rows on demand. */
async function runServed(instead: NonNullable<DoubleOptions['instead']>) {
  await using world = await openServedRun(ROWS, instead);
  const { server, directory, clock, events } = world;
  const startedMs = clock.now();
  const result = await world.run();
  const rows = await outputRows(result, directory);
  return { result, rows, events, requests: server.requests, tookMs: clock.now() - startedMs };
}

test('a server that fails for good ends a run on demand within minutes and few calls, and every row says why', async () => {
  const { result, rows, events, requests, tookMs } = await runServed(() => ({
    status: 500,
    text: 'CUDA error',
  }));
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { rows: { total: ROWS, succeeded: 0, failed: ROWS }, attempts: [{ attempts: 3, rows: ROWS }] },
  });
  expect(rows.map(({ error_code, attempts }) => [error_code, attempts])).toEqual(
    Array.from({ length: ROWS }, () => ['500', 3]),
  );
  expect(rows[0]?.error_message).toContain('The model server answered 500: CUDA error');
  expect(rows.at(-1)?.error_message).toContain(
    'Not asked for, as the server had no answer to the records before',
  );
  // Four in flight, six times each, in three attempts.
  expect(requests.length).toBeLessThanOrEqual(3 * 4 * 6);
  expect(tookMs).toBeLessThan(5 * 60_000);
  expect(events).toContainEqual({
    kind: 'waiting',
    partId: 'p00001',
    error: '500',
    message: expect.stringMatching(/The model server answered 500: CUDA error\. It is asked again in 1 s\.$/),
    since: expect.stringMatching(/^\d{4}-/),
  });
  expect(events.filter(({ kind }) => kind === 'on_demand').at(-1)).toMatchObject({
    records: ROWS,
    answered: 0,
    failed: ROWS,
  });
});

test('a server that takes a call and never answers has its deadline: each row is a counted attempt with the reason, and the run ends', async () => {
  const silent = new Set(['Say row 1', 'Say row 3']);
  await using world = await openServedRun(5, ({ text }) => (silent.has(text) ? 'silence' : undefined), {
    maxAttempts: 2,
    timeoutMs: 150,
  });
  const result = await world.run();
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      rows: { total: 5, succeeded: 3, failed: 2 },
      attempts: [
        { attempts: 1, rows: 3 },
        { attempts: 2, rows: 2 },
      ],
    },
  });
  const rows = await outputRows(result, world.directory);
  const why = expect.stringContaining(
    `The model server at ${world.server.url} did not answer: not within 0.15 s.`,
  );
  expect(
    rows.map(({ error_code, error_message, attempts }) => [error_code, error_message, attempts]),
  ).toEqual([
    [null, null, 1],
    ['503', why, 2],
    [null, null, 1],
    ['503', why, 2],
    [null, null, 1],
  ]);
  // Six tries of two rows in two attempts; the others once.
  expect(world.server.requests.length).toBeLessThanOrEqual(3 + 2 * 2 * 6);
});

test('a server that is busy on demand gets the time that it asks for, and answers every row once', async () => {
  let free = 0;
  const { result, rows, events, requests, tookMs } = await runServed(() => {
    free += 1;
    if (free <= 8) return undefined;
    free = 0;
    return { status: 429, text: 'slow down', headers: { 'retry-after': '40' } };
  });
  expect(result).toMatchObject({ summary: { attempts: [{ attempts: 1, rows: ROWS }] } });
  expect(rows.map(({ response }) => response)).toEqual(
    Array.from({ length: ROWS }, (_, index) => `SAY ROW ${index}`),
  );
  const answered = requests.length - Math.floor(requests.length / 9);
  expect(answered).toBe(ROWS);
  expect(tookMs).toBeGreaterThan(4 * 40_000);
  expect(events).toContainEqual(expect.objectContaining({ kind: 'waiting', error: '429' }));
  const last = events.filter(({ kind }) => kind === 'on_demand').at(-1);
  expect(last).toMatchObject({ records: ROWS, answered: ROWS, failed: 0 });
});

test('a record that the server cannot answer is asked for six times in each attempt, and harms no other', async () => {
  const { result, requests } = await runServed(({ text }) =>
    text === 'Say row 7' ? { status: 503, text: 'out of memory' } : undefined,
  );
  expect(result).toMatchObject({ summary: { rows: { succeeded: ROWS - 1, failed: 1 } } });
  expect(requests.filter(({ text }) => text === 'Say row 7').length).toBeLessThanOrEqual(3 * 6);
  expect(requests.filter(({ text }) => text !== 'Say row 7')).toHaveLength(ROWS - 1);
});

test('a server that goes away under a job stops the run soon, and the same run goes on with it: each row is answered once', async () => {
  let isGone = true;
  const instead: DoubleOptions['instead'] = (_, number) =>
    isGone && number > 150 ? { status: 503, text: 'gone' } : undefined;
  await using world = await openServedRun(300, instead, { maxAttempts: 5 });
  expect(await world.run()).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    message: expect.stringContaining(
      '2 jobs failed alike, and none succeeded: The model server answered 503: gone. 150 of 300 rows have an answer, which is kept.',
    ),
  });
  const { requests } = world.server;
  expect(requests.length).toBeLessThan(150 + 3 * 40);
  const answered = new Set(requests.slice(0, 150).map(({ text }) => text));
  isGone = false;
  const before = requests.length;
  const result = await world.run();
  expect(result).toMatchObject({ kind: 'finished', summary: { rows: { total: 300, succeeded: 300 } } });
  const later = requests.slice(before).map(({ text }) => text);
  expect(later).toHaveLength(150);
  expect(later.filter((text) => answered.has(text))).toEqual([]);
});
