import { GetModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import { expect, test } from 'vitest';
import { openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** The most jobs that were submitted or in progress together. */
function mostAtOnce(jobs: readonly { from: number; to: number }[]): number {
  return Math.max(...jobs.map(({ from }) => jobs.filter((job) => job.from <= from && from < job.to).length));
}

async function runWith(keys: Record<string, unknown>) {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    quotas: { maxConcurrentJobs: 6 },
    pollSeconds: 60,
    emulator: { durations: { inProgressMs: 3_600_000 } },
  });
  const result = await runRows(600, emulated, {
    directory,
    keys: { pilot: false, min_records_per_job_spread: 100, ...keys },
  });
  const spans: { from: number; to: number }[] = [];
  for (const { jobArn } of (await emulated.emulator.usage()).jobs) {
    const { submitTime, endTime } = await emulated.target.control.send(
      new GetModelInvocationJobCommand({ jobIdentifier: jobArn }),
    );
    spans.push({ from: submitTime?.getTime() ?? Number.NaN, to: endTime?.getTime() ?? Number.NaN });
  }
  return { result, spans };
}

test('a run fills the slots of its account, and no more than max_concurrent_jobs where it holds back', async () => {
  const free = await runWith({});
  expect(free.spans).toHaveLength(6);
  expect(mostAtOnce(free.spans)).toBe(6);
  const held = await runWith({ max_concurrent_jobs: 2, max_records_per_job: 150 });
  expect(held.result).toMatchObject({ kind: 'finished', summary: { status: 'succeeded', jobs: 4 } });
  expect(mostAtOnce(held.spans)).toBe(2);
});

test('a run that goes on may have another number of jobs at once, and sends nothing again for it', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ times: 1, fault: { kind: 'kms-denied' } }] },
  });
  const keys = { pilot: false, max_records_per_job: 100 };
  const stopped = await runRows(400, emulated, { directory, keys: { ...keys, max_concurrent_jobs: 1 } });
  expect(stopped).toMatchObject({ kind: 'failed', error: 'SystematicFaultError' });
  const result = await runRows(400, emulated, { directory, keys: { ...keys, max_concurrent_jobs: 3 } });
  expect(result).toMatchObject({ kind: 'finished', summary: { rows: { succeeded: 400 } } });
  const { tracked } = await emulated.emulator.usage();
  expect(tracked).toMatchObject({ recordIds: 400, answeredMoreThanOnce: [] });
});
