import { GetModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import { expect, test } from 'vitest';
import { PartLedger } from '../../../src/core/run/ledger.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { readJson } from '../../../src/store/json-object.ts';
import { LOCAL_BUCKET } from '../../../src/targets/local/local-target.ts';
import { openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const layout = runLayout(runUriOf(LOCAL_BUCKET, 'emulated'));

test('timeout_hours goes with every job, and may be another one when the run goes on', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ times: 1, fault: { kind: 'kms-denied' } }] },
  });
  const { control } = emulated.target;
  const stopped = await runRows(150, emulated, { directory, keys: { timeout_hours: 24 } });
  expect(stopped).toMatchObject({ kind: 'failed', error: 'SystematicFaultError' });
  const result = await runRows(150, emulated, { directory, keys: { timeout_hours: 168 } });
  expect(result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded' } });
  const hours: (number | undefined)[] = [];
  for (const { jobArn } of (await emulated.emulator.usage()).jobs) {
    const job = await control.send(new GetModelInvocationJobCommand({ jobIdentifier: jobArn }));
    hours.push(job.timeoutDurationInHours);
  }
  expect(hours).toEqual([24, 168]);
});

test('the ledger tells when Bedrock took a part’s job, and when it ended', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    pollSeconds: 60,
    emulator: { durations: { inProgressMs: 3_600_000 } },
  });
  await runRows(150, emulated, { directory });
  const { job_submitted_at, job_ended_at } = await readJson(
    emulated.target.store,
    layout.ledger('p00001'),
    PartLedger,
  );
  const took = Date.parse(job_ended_at ?? '') - Date.parse(job_submitted_at ?? '');
  expect(took).toBeGreaterThanOrEqual(3_600_000);
  expect(took).toBeLessThan(3_700_000);
});

test('a job whose status is not known yet is waited for', async () => {
  const directory = await temporaryDirectory();
  let unknown = 2;
  await using emulated = await openEmulatedTarget({
    directory,
    wrap: (target) => {
      const { control } = target;
      control.middlewareStack.add(
        (next, { commandName }) =>
          async (args) => {
            const answer = await next(args);
            if (commandName === 'GetModelInvocationJobCommand' && unknown > 0) {
              unknown -= 1;
              Object.assign(answer.output, { status: 'Paused' });
            }
            return answer;
          },
        { step: 'initialize' },
      );
      return target;
    },
  });
  expect(await runRows(150, emulated, { directory })).toMatchObject({
    kind: 'finished',
    summary: { status: 'succeeded', rows: { succeeded: 150 } },
  });
  expect(unknown).toBe(0);
});
