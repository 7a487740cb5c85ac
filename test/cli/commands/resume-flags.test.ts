import { BedrockClient, ListModelInvocationJobsCommand } from '@aws-sdk/client-bedrock';
import { expect, test } from 'vitest';
import { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { readJson, readJsonIfPresent, writeJson } from '../../../src/store/json-object.ts';
import { BUCKET, openBedrockWorld } from '../../support/bedrock-world.ts';
import { startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';

const RUN = `s3://${BUCKET}/runs/mine` as const;

/** Jobs at Bedrock, the oldest first. */
async function jobsAt(url: string) {
  const client = new BedrockClient({
    endpoint: url,
    region: 'us-west-2',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { invocationJobSummaries = [] } = await client.send(
    new ListModelInvocationJobsCommand({ sortBy: 'CreationTime', sortOrder: 'Ascending' }),
  );
  return invocationJobSummaries;
}

test('resume grants more attempts and other hours, and refuses what is neither', async () => {
  const world = await openBedrockWorld({
    faults: [{ times: 1, fault: { kind: 'record-errors', fraction: 0.9, errorCode: 503 } }],
  });
  const file = await world.writeRows(200);
  const run = await runQuarry('run', file, ...world.flags, '--run-id', 'mine', '--max-attempts', '1');
  expect([run.status, run.out]).toEqual([2, expect.stringContaining('some rows have no answer')]);
  const resume = (...args: string[]) => runQuarry('resume', 'mine', '--dir', world.dir, ...args);
  for (const [flags, says] of [
    [['--max-attempts', '11'], 'It is not a whole number from 1 to 10.'],
    [['--max-attempts', 'many'], 'It is not a whole number from 1 to 10.'],
    [['--timeout-hours', '23'], 'It is not a whole number of hours from 24 to 168.'],
    [['--timeout-hours', '169'], 'It is not a whole number of hours from 24 to 168.'],
  ] as const) {
    const refused = await resume(...flags);
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining(says)]);
  }
  const spent = await resume();
  expect(spent.err).toMatch(
    /^\d+ records could be sent again, but used up their attempts: --max-attempts grants more\.$/m,
  );
  expect(await jobsAt(world.emulator.url)).toHaveLength(1);

  const granted = await resume('--max-attempts', '2', '--timeout-hours', '100', '--json');
  expect(granted.status, granted.err).toBe(0);
  expect(JSON.parse(granted.out)).toMatchObject({ status: 'succeeded', rows: { succeeded: 200 }, jobs: 2 });
  const hours = (await jobsAt(world.emulator.url)).map(
    ({ timeoutDurationInHours }) => timeoutDurationInHours,
  );
  expect(hours).toEqual([expect.not.stringMatching('100'), 100]);
}, 60_000);

test('resume --resend-missing sends the records of a job again whose answers are gone, and only then', async () => {
  const world = await openBedrockWorld({ durations: { inProgressMs: 2_000 } });
  const file = await world.writeRows(120);
  const run = startQuarry('run', file, ...world.flags, '--run-id', 'mine');
  const jobArn = async () =>
    (await readJsonIfPresent(world.store, `${RUN}/jobs/p00001.json`, JobRecord))?.job_arn ?? undefined;
  while ((await jobArn()) === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
  run.signal('SIGKILL');
  await run.ended;
  while ((await jobsAt(world.emulator.url))[0]?.status !== 'Completed') {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const key of [...world.s3.objects.keys()].filter((key) => key.includes('/model-output/'))) {
    world.s3.objects.delete(key);
  }
  // As Collect leaves it once its patience is over.
  await writeJson(world.store, `${RUN}/faults/p00001.json`, {
    error: 'UnreadableOutputError',
    message: 'The output is not there.',
  });
  const resumed = await runQuarry('resume', 'mine', '--dir', world.dir, '--resend-missing', '--json');
  expect(resumed.status, resumed.err).toBe(0);
  expect(JSON.parse(resumed.out)).toMatchObject({
    status: 'succeeded',
    rows: { total: 120, succeeded: 120 },
    attempts: [{ attempts: 2, rows: 120 }],
  });
  expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 2, answered: 240 });
}, 60_000);

test('cancel stops the jobs of its own run, and none of the same input’s run in another bucket', async () => {
  const world = await openBedrockWorld({ durations: { inProgressMs: 4_000 } });
  const file = await world.writeRows(120);
  const start = async (bucket: string, dir: string) => {
    const flags = [...world.flags, '--bucket', bucket, '--dir', dir, '--run-id', 'mine'];
    const run = startQuarry('run', file, ...flags, '--json');
    const uri = `s3://${bucket}/runs/mine/jobs/p00001.json` as const;
    while ((await readJsonIfPresent(world.store, uri, JobRecord))?.job_arn == null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { job_arn } = await readJson(world.store, uri, JobRecord);
    return { run, jobArn: job_arn };
  };
  const other = await start('bucket-b', `${world.dir}-b`);
  const mine = await start(BUCKET, world.dir);
  expect(other.jobArn).not.toBe(mine.jobArn);
  const cancelled = await runQuarry('cancel', 'mine', '--dir', world.dir, '--json');
  expect(JSON.parse(cancelled.out)).toMatchObject({ status: 'cancelled' });
  expect(await other.run.ended, other.run.err()).toBe(0);
  expect(JSON.parse(other.run.out())).toMatchObject({ status: 'succeeded', rows: { succeeded: 120 } });
  const statuses = new Map((await jobsAt(world.emulator.url)).map(({ jobArn, status }) => [jobArn, status]));
  expect(statuses.get(other.jobArn ?? '')).toBe('Completed');
  expect(statuses.get(mine.jobArn ?? '')).toBe('Stopped');
}, 60_000);

test('a job of a run with a job_name_prefix is adopted by its run like any other', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(120);
  const prefix = ['--job-name-prefix', 'team-a-nightly', '--run-id', 'mine'];
  const run = startQuarry('run', file, ...world.flags, ...prefix);
  const uri = `${RUN}/jobs/p00001.json` as const;
  while ((await readJsonIfPresent(world.store, uri, JobRecord))?.job_arn == null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  run.signal('SIGKILL');
  await run.ended;
  await world.store.delete(uri);
  await world.store.delete(`${RUN}/ledger/p00001.json`);
  const adopted = await runQuarry('adopt', 'mine', '--dir', world.dir);
  expect(adopted.out).toMatch(/^team-a-nightly-\S+: adopted\. To collect it: /);
  const resumed = await runQuarry('resume', 'mine', '--dir', world.dir, '--json');
  expect(JSON.parse(resumed.out)).toMatchObject({ status: 'succeeded', rows: { succeeded: 120 } });
  expect((await world.emulator.usage()).totals).toMatchObject({ jobs: 1 });
}, 60_000);
