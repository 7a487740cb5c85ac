import { expect, test } from 'vitest';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { type Grants, takeUp } from '../../../src/steps/run/take-up.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { type EmulatedOptions, openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));

type Faults = NonNullable<EmulatedOptions['emulator']>['faults'];

/** Runs of rows in an account with faults; `resume` is what the command does. */
async function openTrial(rows: number, keys: Record<string, unknown>, faults: Faults) {
  const directory = await temporaryDirectory();
  const emulated = await openEmulatedTarget({
    directory,
    pollSeconds: 3600,
    emulator: { ...(faults === undefined ? {} : { faults }) },
  });
  const { store } = emulated.target;
  const run = () => runRows(rows, emulated, { directory, keys });
  return {
    ...emulated,
    directory,
    run,
    resume: (grants: Grants = {}) =>
      runRows(rows, emulated, {
        directory,
        keys,
        onClaimed: async (claimed) => void (await takeUp(claimed, grants, store)),
      }),
    jobs: async () => (await emulated.emulator.usage()).jobs.length,
  };
}

test.each<[string, Faults]>([
  ['fail their validation', [{ times: 4, fault: { kind: 'validation-failed', message: 'No.' } }]],
  ['may not use the key', [{ times: 4, fault: { kind: 'kms-denied' } }]],
  [
    'expire in the queue',
    [{ times: 4, fault: { kind: 'job-ended', status: 'Expired', stage: 'Scheduled' } }],
  ],
])('jobs that %s use up no attempt: once that is mended, a resume sends their records', async (_, faults) => {
  await using trial = await openTrial(150, { max_attempts: 1 }, faults);
  let stops = 0;
  let result = await trial.run();
  while (result.kind === 'failed' && stops < 5) {
    expect(result.error).toBe('SystematicFaultError');
    stops += 1;
    result = await trial.resume();
  }
  expect(stops).toBeGreaterThan(0);
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', attempts: [{ attempts: 1, rows: 150, succeeded: 150 }] },
  });
  expect(await trial.jobs()).toBe(5);
});

test('waves whose jobs process nothing end the run, with the reason, before they go on for ever', async () => {
  await using trial = await openTrial(150, { max_attempts: 3 }, [
    { fault: { kind: 'job-ended', status: 'Expired', stage: 'Scheduled', message: 'It timed out' } },
  ]);
  expect(await trial.run()).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    message: expect.stringMatching(
      /The jobs of the last 3 waves ended without processing a record: The job ended Expired before it reached this record: It timed out\. No attempt of a record was used up\./,
    ),
  });
  expect(await trial.jobs()).toBe(3);
});

test('a partly processed job uses up the attempts of what it processed alone', async () => {
  await using trial = await openTrial(200, { max_attempts: 1 }, [
    { times: 1, fault: { kind: 'job-ended', status: 'Stopped', fraction: 0.5 } },
  ]);
  expect(await trial.run()).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', attempts: [{ attempts: 1, rows: 200, succeeded: 200 }] },
  });
});

test('more attempts can be granted to records that have used up theirs', async () => {
  await using trial = await openTrial(300, { max_attempts: 2 }, [
    { times: 2, fault: { kind: 'record-errors', fraction: 0.6, errorCode: 503 } },
  ]);
  expect(await trial.run()).toMatchObject({ kind: 'finished', summary: { status: 'partly_succeeded' } });
  const { store } = trial.target;
  await expect(takeUp(layout, { maxAttempts: 1 }, store)).rejects.toMatchObject({
    name: 'InvalidRunInputError',
    message:
      '--max-attempts 1 is fewer than the run has: a record may be sent 2 times already. Give more, or leave it out.',
  });
  const { exhausted } = await takeUp(layout, {}, store);
  expect(exhausted).toBeGreaterThan(100);
  expect(await trial.resume({ maxAttempts: 3 })).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { succeeded: 300 }, attempts: [{ attempts: 1 }, { attempts: 3 }] },
  });
  // Once granted, they hold for the same input as well.
  const before = await trial.jobs();
  expect(await trial.run()).toMatchObject({ kind: 'finished', summary: { status: 'succeeded' } });
  expect(await trial.jobs()).toBe(before);
});

test('a part that stopped the run by the errors of its records is owed again once the run is taken up', async () => {
  await using trial = await openTrial(300, { max_records_per_job: 100, pilot: false }, [
    {
      when: { jobs: [1, 2, 3] },
      fault: { kind: 'record-errors', errorCode: 400, errorMessage: 'The model is being moved' },
    },
  ]);
  expect(await trial.run()).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    // Whichever part ends first.
    message: expect.stringMatching(
      /records of part p0000[123] got error 400: The model is being moved\. 0 of 300/,
    ),
  });
  const result = await trial.run();
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { succeeded: 300 } },
  });
  const rows = await outputRows(result, trial.directory);
  expect(rows.every(({ name, response }) => String(response).includes(`Say ${name}`))).toBe(true);
});

test('what failed by the account’s fault is owed once a user resumes, what the model refused is not', async () => {
  await using trial = await openTrial(300, {}, [
    {
      when: { jobs: [1] },
      fault: {
        kind: 'record-errors',
        recordIds: Array.from({ length: 40 }, (_, index) => `r${String(index).padStart(10, '0')}`),
        errorCode: 400,
        errorMessage: 'Your credit balance is too low to access the API.',
      },
    },
    {
      when: { jobs: [1] },
      fault: {
        kind: 'record-errors',
        recordIds: ['r0000000100'],
        errorCode: 403,
        errorMessage: 'Your account is not authorized to invoke this API operation.',
      },
    },
    {
      fault: {
        kind: 'record-errors',
        recordIds: ['r0000000200'],
        errorCode: 400,
        errorMessage: 'prompt is too long',
      },
    },
  ]);
  const first = await trial.run();
  expect(first).toMatchObject({
    kind: 'finished',
    summary: { status: 'partly_succeeded', rows: { succeeded: 258, failed: 42 } },
  });
  // The same input again changes nothing.
  expect(await trial.run()).toEqual(first);
  const resumed = await trial.resume();
  expect(resumed).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'partly_succeeded',
      rows: { succeeded: 299, failed: 1 },
      reasons: [{ error_code: '400', rows: 1, example_record_id: 'r0000000200' }],
    },
  });
  // A resume that finds nothing to mend leaves the run as it has ended.
  expect(await trial.resume()).toEqual(resumed);
});
