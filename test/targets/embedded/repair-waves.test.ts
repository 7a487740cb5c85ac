import { expect, test } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { MODEL, openEmulatedTarget, outputRows, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('what a broken-off job and faults of the service leave owed is repaired in the next wave', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [
        {
          when: { jobs: [1] },
          fault: { kind: 'job-ended', status: 'PartiallyCompleted', fraction: 0.4 },
        },
        { fault: { kind: 'record-errors', fraction: 0.2, errorCode: 503, firstAttemptOnly: true } },
        { fault: { kind: 'record-errors', recordIds: ['r0000000007'], errorCode: 400, errorMessage: 'No.' } },
      ],
    },
  });
  const result = await runRows(600, emulated, { directory, keys: { max_records_per_job: 300 } });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'partly_succeeded',
      stop: null,
      waves: 3,
      rows: { total: 600, succeeded: 599, failed: 1, not_sent: 0 },
      reasons: [{ error_code: '400', rows: 1, example_record_id: 'r0000000007', example_message: 'No.' }],
    },
  });
  const rows = await outputRows(result, directory);
  expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: 600 }, (_, index) => `row ${index}`));
  for (const { name, response, record_id } of rows) {
    if (record_id !== 'r0000000007') expect(response).toBe(simulatedAnswer(MODEL, `Say ${name}`));
  }
  const byAttempts = Object.groupBy(rows, ({ attempts }) => String(attempts));
  // A record that the broken-off job did not come to has its first attempt in the next wave.
  expect(Object.keys(byAttempts)).toEqual(['1', '2']);
  const { tracked } = await emulated.emulator.usage();
  expect(tracked?.answeredMoreThanOnce).toEqual([]);
  expect(tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);
});

test('what the model asks to try again with 424 is tried again, in a job and on demand', async () => {
  const errorMessage =
    'The system encountered an unexpected error during processing. Try your request again.';
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: {
      faults: [
        {
          fault: {
            kind: 'record-errors',
            fraction: 0.05,
            errorCode: 424,
            errorMessage,
            firstAttemptOnly: true,
          },
        },
        {
          times: 3,
          fault: { kind: 'invoke-error', errorName: 'ModelErrorException', message: errorMessage },
        },
      ],
    },
  });
  const result = await runRows(600, emulated, { directory });
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', reasons: [], rows: { total: 600, succeeded: 600 } },
  });
  const { onDemand, tracked } = await emulated.emulator.usage();
  expect(onDemand.calls).toBeGreaterThan(3);
  expect(tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);
});
