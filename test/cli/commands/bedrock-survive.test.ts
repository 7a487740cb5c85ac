import { expect, test } from 'vitest';
import { JobRecord } from '../../../src/core/jobs/job-record.ts';
import { readJsonIfPresent } from '../../../src/store/json-object.ts';
import { type BedrockWorld, BUCKET, openBedrockWorld } from '../../support/bedrock-world.ts';
import { type QuarryProcess, startQuarry } from '../../support/quarry-process.ts';
import { runQuarry } from '../../support/run-quarry.ts';

/** Long enough for a process to be met at work. */
const SLOW = { inProgressMs: 6_000 };
const PARTS = ['--max-records-per-job', '110', '--no-pilot', '--run-id', 'mine'];

/** Waits until the run has written down the job of its first part. */
async function jobIsKnown({ store }: BedrockWorld): Promise<void> {
  const uri = `s3://${BUCKET}/runs/mine/jobs/p00001.json` as const;
  while ((await readJsonIfPresent(store, uri, JobRecord))?.job_arn == null) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A run of so many rows whose first job is known, in a process of its own. */
async function startRun(rows: number): Promise<{ world: BedrockWorld; file: string; run: QuarryProcess }> {
  const world = await openBedrockWorld({ durations: SLOW });
  const file = await world.writeRows(rows);
  const run = startQuarry('run', file, ...world.flags, ...PARTS, '--json');
  await run.printed('Wave 1');
  await jobIsKnown(world);
  return { world, file, run };
}

/** The same, and the process has been killed. */
async function killRun(rows: number): Promise<BedrockWorld> {
  const { world, run } = await startRun(rows);
  run.signal('SIGKILL');
  await run.ended;
  return world;
}

async function expectResumed({ dir, emulator }: BedrockWorld, rows: number, jobs: number): Promise<void> {
  const { status, out, err } = await runQuarry('resume', 'mine', '--dir', dir, '--json');
  expect(status, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'succeeded', rows: { total: rows, succeeded: rows } });
  const { totals, tracked } = await emulator.usage();
  expect(totals).toMatchObject({ jobs, answered: rows });
  expect(tracked?.answeredMoreThanOnce).toEqual([]);
}

test('a process that is killed with jobs at Bedrock leaves a run that any process takes up by its name', async () => {
  const world = await killRun(220);
  const status = await runQuarry('status', 'mine', '--dir', world.dir);
  expect(status.out).toContain('No process is working on it.');
  expect(status.out).toContain(`To continue: quarry resume mine --dir ${world.dir}\n`);
  expect((await runQuarry('results', 'mine', '--dir', world.dir)).err).toContain('has not ended yet');
  await expectResumed(world, 220, 2);
}, 60_000);

test('a second process on a run in S3 is refused, and told which one is at work; cancel reaches that one', async () => {
  const { world, file, run } = await startRun(220);
  // From another folder of this machine: the lock is where the run is.
  const elsewhere = [...world.flags, ...PARTS, '--dir', `${world.dir}-elsewhere`];
  const second = await runQuarry('run', file, ...elsewhere);
  expect(second.status).toBe(1);
  expect(second.err).toMatch(
    new RegExp(
      `Error: .*process ${run.pid} on .*\nTo follow it: quarry status mine --dir ${world.dir}-elsewhere\n[\\s\\S]*\\(RunBusyError\\)`,
    ),
  );
  for (const dir of [world.dir, `${world.dir}-elsewhere`]) {
    expect((await runQuarry('status', 'mine', '--dir', dir)).out).toContain(`Process ${run.pid} on `);
  }

  const cancelled = await runQuarry('cancel', 'mine', '--dir', world.dir, '--json');
  expect(cancelled.err).toContain(`Process ${run.pid} on `);
  expect(cancelled.status).toBe(2);
  expect(JSON.parse(cancelled.out)).toMatchObject({ status: 'cancelled', rows: { total: 220 } });
  expect(await run.ended).toBe(2);
  expect((await world.emulator.usage()).totals.jobs).toBe(2);
  const resumed = await runQuarry('resume', 'mine', '--dir', world.dir, '--json');
  expect(JSON.parse(resumed.out).rows).toMatchObject({ total: 220, succeeded: 220 });
  expect((await world.emulator.usage()).tracked?.answeredMoreThanOnce).toEqual([]);
}, 60_000);

test('a killed run is cancelled by whoever asks, without the role, and says so', async () => {
  const world = await killRun(220);
  const at = ['--target', 'bedrock', '--bucket', BUCKET, '--poll-seconds', '1'];
  const cancelled = await runQuarry('cancel', 'mine', ...at, '--dir', `${world.dir}-new`, '--json');
  expect(cancelled.status, cancelled.err).toBe(2);
  expect(JSON.parse(cancelled.out)).toMatchObject({ status: 'cancelled', rows: { total: 220 } });
}, 60_000);

test('Ctrl-C leaves the jobs at Bedrock, and says how to go on and how to stop them', async () => {
  const { world, run } = await startRun(220);
  run.signal('SIGINT');
  expect(await run.ended).toBe(130);
  expect(run.err()).toContain('Jobs that were submitted keep running at Bedrock, and are collected when');
  expect(run.err()).toContain(`To continue: quarry resume mine --dir ${world.dir}\n`);
  expect(run.err()).toContain(`quarry cancel mine --dir ${world.dir}\n`);
  await expectResumed(world, 220, 2);
}, 60_000);

test('a job that no run knows is listed, adopted by its run’s name alone, and harvested', async () => {
  const world = await killRun(110);
  await world.store.delete(`s3://${BUCKET}/runs/mine/jobs/p00001.json`);
  const at = ['--target', 'bedrock', '--bucket', BUCKET, '--dir', world.dir];
  const orphans = await runQuarry('jobs', '--orphans', '--json', ...at);
  expect(JSON.parse(orphans.out)).toMatchObject([{ run_id: 'mine', part: 'p00001', orphan: true }]);
  const adopted = await runQuarry('adopt', 'mine', '--dir', world.dir);
  expect(adopted.out).toContain(`To collect it: quarry resume mine --dir ${world.dir}`);
  await expectResumed(world, 110, 1);
}, 60_000);

test('the first rows of a result file in S3 are read without the rest of it', async () => {
  const world = await openBedrockWorld();
  const file = await world.writeRows(30_000);
  // One large part: of small ones, the end that is read first is all.
  const oneJob = ['--max-num-jobs', '1'];
  const { status, err } = await runQuarry('run', file, ...world.flags, ...oneJob, '--run-id', 'mine');
  expect(status, err).toBe(0);
  world.s3.requests.length = 0;
  const { out } = await runQuarry('results', 'mine', '--head', '2', '--format', 'jsonl', '--dir', world.dir);
  expect(out.trimEnd().split('\n')).toHaveLength(2);
  const path = `${BUCKET}/runs/mine/output/p00001.parquet`;
  const ranges = world.s3.requests
    .filter((request) => request.path === path && request.method === 'GET')
    .map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? ''));
  const bytes = ranges.map((range) => Number(range?.[2]) - Number(range?.[1]) + 1);
  const size = world.s3.objects.get(path)?.length ?? 0;
  expect(bytes.reduce((sum, part) => sum + part, 0)).toBeLessThan(size / 2);
  const folder = `${world.dir}-results`;
  expect((await runQuarry('results', 'mine', '--dir', world.dir, '--download', folder)).out).toBe(
    `1 Parquet file in ${folder}\n`,
  );
}, 60_000);
