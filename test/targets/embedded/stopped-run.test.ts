import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { RunSummary } from '../../../src/core/run/summary.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { markCancelled } from '../../../src/steps/run/cancellation.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const readRun = async (directory: string, file: string): Promise<unknown> =>
  JSON.parse(await readFile(join(directory, LOCAL_BUCKET, 'runs', 'emulated', file), 'utf8'));

test('a role that may not read stops the run at once, and it goes on when that is mended', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    quotas: { maxConcurrentJobs: 1 },
    emulator: { faults: [{ times: 1, fault: { kind: 'kms-denied' } }] },
  });
  const keys = { max_records_per_job: 100, pilot: false };
  const stopped = await runRows(500, emulated, { directory, keys });
  expect(stopped).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    message: expect.stringMatching(
      /Could not validate GetObject permissions.*0 of 500 rows have an answer.*start the run again under the same run_id/s,
    ),
  });
  expect((await emulated.emulator.usage()).jobs).toHaveLength(1);
  const summary = RunSummary.parse(await readRun(directory, 'summary.json'));
  expect(summary).toMatchObject({
    status: 'stopped',
    stop: { reason: 'systematic_fault' },
    rows: { total: 500, succeeded: 0, failed: 0, not_sent: 500 },
    jobs: 1,
  });
  expect(summary.reasons.map(({ error_code, rows }) => [error_code, rows])).toEqual([
    ['RunStopped', 400],
    ['JobFailed', 100],
  ]);

  const result = await runRows(500, emulated, { directory, keys });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'succeeded',
      stop: null,
      // A job that may not read its input uses up no attempt.
      attempts: [{ attempts: 1, rows: 500, succeeded: 500 }],
    },
  });
  expect((await emulated.emulator.usage()).tracked?.answeredMoreThanOnce).toEqual([]);
});

test('a body that the model refuses is sent once, in the pilot, and never for the other parts', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [{ fault: { kind: 'record-errors', errorCode: 400, errorMessage: 'max_tokens: too many.' } }],
    },
  });
  const result = await runRows(500, emulated, { directory, keys: { max_records_per_job: 100 } });
  expect(result).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    message: expect.stringContaining(
      'Each of the 100 records of part p00001 got error 400: max_tokens: too many.',
    ),
  });
  expect((await emulated.emulator.usage()).jobs).toHaveLength(1);
});

test('a pilot of which over half failed stops the run; started again, all parts are sent', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [{ when: { jobs: [1] }, fault: { kind: 'record-errors', fraction: 0.7, errorCode: 400 } }],
    },
  });
  const keys = { max_records_per_job: 100 };
  const stopped = await runRows(300, emulated, { directory, keys });
  expect(stopped).toMatchObject({
    kind: 'failed',
    message: expect.stringMatching(/\d\d of the 100 records of the pilot failed: \d\d with 400/),
  });
  expect((await emulated.emulator.usage()).jobs).toHaveLength(1);
  const result = await runRows(300, emulated, { directory, keys });
  expect(result).toMatchObject({
    kind: 'finished',
    // Its own records too: whoever starts it again has mended what they failed by.
    summary: { status: 'succeeded', rows: { total: 300, not_sent: 0 } },
  });
  const rows = await outputRows(result, directory);
  expect(rows.every(({ response }) => response !== null)).toBe(true);
});

test('a pilot of large parts is small, and all that a bad run costs', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ when: { jobs: [1] }, fault: { kind: 'record-errors', errorCode: 400 } }] },
  });
  const keys = { max_records_per_job: 2000 };
  const stopped = await runRows(6500, emulated, { directory, keys });
  expect(stopped).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('Each of the 500 records'),
  });
  const { jobs } = await emulated.emulator.usage();
  expect(jobs.map(({ totalRecords }) => totalRecords)).toEqual([500]);
  const result = await runRows(6500, emulated, { directory, keys });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { rows: { total: 6500, succeeded: 6500, failed: 0, not_sent: 0 }, jobs: 5 },
  });
});

test('answers that were cut off are sent again where that is asked for, and the last one is kept', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const keys = { inference_parameters: { max_tokens: 5 }, retry_truncated: true, max_attempts: 2 };
  const result = await runRows(100, emulated, { directory, keys });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'succeeded',
      waves: 2,
      jobs: 2,
      attempts: [{ attempts: 2, rows: 100, succeeded: 100 }],
    },
  });
});

test('a run that could cost more than it may with another wave ends without it', async () => {
  const keys = { inference_parameters: { max_tokens: 5 }, retry_truncated: true };
  const dear = await temporaryDirectory();
  await using unlimited = await openEmulatedTarget({ directory: dear });
  await runRows(100, unlimited, { directory: dear, keys });
  const { estimate } = RunPlan.parse(await readRun(dear, 'plan.json'));

  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault: { kind: 'record-errors', recordIds: ['r0000000003'], errorCode: 500 } }] },
  });
  const max_cost_usd = (estimate.max_usd ?? 0) * 1.4;
  const result = await runRows(100, emulated, { directory, keys: { ...keys, max_cost_usd } });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'stopped',
      stop: { reason: 'budget', message: expect.stringMatching(/^100 records are owed another attempt/) },
      rows: { total: 100, succeeded: 99, failed: 1, not_sent: 0 },
      jobs: 1,
    },
  });
  const again = await runRows(100, emulated, { directory, keys: { ...keys, max_cost_usd } });
  expect(again).toEqual(result);
});

test('a run that its budget ended goes on with a higher one, and nothing that it has is paid for again', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [{ when: { jobs: [1] }, fault: { kind: 'record-errors', fraction: 0.9, errorCode: 500 } }],
    },
  });
  // An answer could cost $0.0026, and on demand, as the last rows are run, twice that.
  const runWith = (keys: { max_cost_usd?: number }) => runRows(100, emulated, { directory, keys });
  const stopped = await runWith({ max_cost_usd: 0.3 });
  expect(stopped).toMatchObject({
    kind: 'finished',
    summary: { status: 'stopped', stop: { reason: 'budget' }, jobs: 1 },
  });
  expect(await runWith({ max_cost_usd: 0.29 })).toEqual(stopped);
  expect(await runWith({ max_cost_usd: 5 })).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'succeeded',
      input: { max_cost_usd: 5 },
      stop: null,
      rows: { total: 100, succeeded: 100 },
    },
  });
  const { tracked } = await emulated.emulator.usage();
  expect(tracked).toMatchObject({ answeredMoreThanOnce: [], bodiesAnsweredMoreThanOnce: [] });
  expect(await runWith({})).toMatchObject({ summary: { status: 'succeeded', jobs: 1 } });
});

test('by what is expected a run goes on part by part under a budget that the longest answers of all would exceed', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const sized = { max_records_per_job: 100, min_records_per_job_spread: 100 };
  // The longest answers would cost $0.26 a part, and the simulated ones take a fifth of that.
  const run = (keys: object) => runRows(1000, emulated, { directory, keys: { ...sized, ...keys } });
  expect(await run({ max_cost_usd: 0.8 })).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('with budget_mode expected it is sent part by part'),
  });
  const result = await run({ max_cost_usd: 0.8, budget_mode: 'expected' });
  if (result.kind !== 'finished') throw new Error(JSON.stringify(result));
  const { summary } = result;
  expect(summary).toMatchObject({
    status: 'succeeded',
    rows: { succeeded: 1000 },
    attempts: [{ attempts: 1, rows: 1000, succeeded: 1000 }],
    jobs: 10,
  });
  expect(summary.waves).toBeGreaterThan(2);
  expect(summary.account).toHaveLength(summary.waves);
  expect(summary.account?.reduce((sum, { usd }) => sum + (usd ?? 0), 0)).toBeCloseTo(
    summary.cost_usd ?? 0,
    9,
  );
  expect(summary.estimate?.max_usd).toBeGreaterThan(2);
  expect(summary.cost_usd).toBeLessThan(0.8);
});

test('a run that its budget ended at its worst goes on by what is expected', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [{ when: { jobs: [1] }, fault: { kind: 'record-errors', fraction: 0.9, errorCode: 500 } }],
    },
  });
  const run = (keys: object) => runRows(100, emulated, { directory, keys: { max_cost_usd: 0.3, ...keys } });
  expect(await run({})).toMatchObject({ summary: { status: 'stopped', stop: { reason: 'budget' } } });
  expect(await run({ budget_mode: 'expected' })).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { succeeded: 100 } },
  });
});

test('a run whose every row has an answer has ended, whatever a cancel that came too late left owed', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const { store } = emulated.target;
  const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));
  const keys = { inference_parameters: { max_tokens: 5 }, retry_truncated: true, max_attempts: 3 };
  const ended = await runRows(100, emulated, {
    directory,
    keys,
    aroundTasks: (runTask) => async (call) => {
      if (call.stateName === 'Collect') await markCancelled(layout, store, new Date(0));
      return runTask(call);
    },
  });
  expect(ended).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', waves: 1 } });
  await store.delete(layout.cancellation);
  expect(await runRows(100, emulated, { directory, keys })).toEqual(ended);
  expect((await emulated.emulator.usage()).jobs).toHaveLength(1);
});
