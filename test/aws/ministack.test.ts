import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Finding } from '../../scripts/proof/observations.ts';
import { systemClock } from '../../src/core/clock.ts';
import { type Emulator, startEmulator } from '../../src/emulator/server.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { runLayout, runUriOf } from '../../src/runs/run-layout.ts';
import { verifyRun } from '../../src/steps/run/verify-run.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { type DeployedTarget, openDeployedTarget } from '../../src/targets/aws/deployed-target.ts';
import { followRun } from '../../src/targets/aws/follow-execution.ts';
import { readRunStatus } from '../../src/targets/aws/run-status.ts';
import { startRun } from '../../src/targets/aws/start-run.ts';
import { pngOf } from '../support/images.ts';
import { openTerminal } from '../support/terminal.ts';
import { deployStack, MINISTACK_ACCOUNT, type MiniStack, startMiniStack } from './ministack.ts';
import { CREDENTIALS, freePort, REGION } from './moto.ts';
import { EMULATOR } from './world.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** The run whose jobs go wrong. */
const OF_JOBS = { key: 'quarry:run', value: 'jobs' };

let ministack: MiniStack;
let emulator: Emulator;
let target: DeployedTarget;
let bucket: string;
let s3: S3Client;
let directory: string;
const cleanUp = new AsyncDisposableStack();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quarry-ministack-world-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const port = await freePort();
  ministack = cleanUp.use(await startMiniStack(`http://127.0.0.1:${port}`));
  s3 = createS3Client({ endpoint: ministack.url, region: REGION, credentials: CREDENTIALS });
  const store = createS3Store({ client: s3, scratchDirectory: join(directory, 'outside') });
  emulator = await startEmulator({
    ...EMULATOR,
    accountId: MINISTACK_ACCOUNT,
    port,
    store,
    stateDirectory: join(directory, 'emulator'),
    faults: [
      {
        // Long enough to be cancelled.
        when: { tag: { key: 'quarry:run', value: 'proof' } },
        times: 2,
        fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 600_000 },
      },
      {
        when: { jobName: '-p00001$', tag: OF_JOBS },
        fault: { kind: 'job-ended', status: 'Failed', stage: 'Validating', message: 'Something went wrong.' },
      },
      {
        when: { jobName: '-p00002$', tag: OF_JOBS },
        fault: { kind: 'job-ended', status: 'PartiallyCompleted', fraction: 1 },
      },
      {
        when: { jobName: '-p00002$', tag: OF_JOBS },
        fault: {
          kind: 'missing-records',
          recordIds: Array.from({ length: 30 }, (_, row) => `r0000000${200 + row}`),
        },
      },
    ],
  });
  cleanUp.defer(() => emulator.close());
  const outputs = await deployStack(ministack);
  bucket = outputs.bucketName ?? '';
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
  vi.stubEnv('AWS_ENDPOINT_URL', ministack.url);
  target = cleanUp.use(
    await openDeployedTarget({
      version: '0.1.0',
      clock: systemClock,
      random: Math.random,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
    }),
  );
  const rows = Array.from({ length: 260 }, (_, row) => `${row},topic ${row % 240}`);
  await store.write(`s3://${bucket}/datasets/topics.csv`, `id,topic\n${rows.join('\n')}\n`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await cleanUp.disposeAsync();
});

function input(keys: Record<string, unknown>) {
  return {
    s3_uri: `s3://${bucket}/datasets/topics.csv`,
    model_id: MODEL,
    prompt_template: 'Tell a joke about {topic}.',
    pilot: false,
    ...keys,
  };
}

const follow = (executionArn: string) =>
  followRun(executionArn, { target, pollMs: 300, onProgress: () => {} });

test('a run with a failing and a half-done job, of rows that ask the same, ends with every row accounted for', async () => {
  const { executionArn } = await startRun(
    input({ run_id: 'jobs', dedupe: true, max_records_per_job: 120, max_attempts: 2 }),
    target,
  );
  const result = await follow(executionArn);
  expect(result, ministack.log().slice(-3000)).toMatchObject({
    kind: 'finished',
    summary: {
      status: 'succeeded',
      rows: { total: 260, succeeded: 260 },
      duplicates: 20,
      jobs: 3,
      on_demand_records: 30,
    },
  });
  // What one job failed to do was sent in another, and what one had left out was run on demand.
  expect((await readRunStatus('jobs', target)).jobs.byStatus).toMatchObject({
    Failed: 1,
    PartiallyCompleted: 1,
    Completed: 1,
  });
  // The rule may publish to the topic, whose policy allows nobody else but alarms.
  expect(ministack.log()).toContain('"Run jobs ended SUCCEEDED.');
});

test('a job that the policies deny ends the run with the refusal as its cause', async () => {
  const denied = input({ run_id: 'denied', model_id: 'ai21.jamba-1-5-large-v1:0', max_records: 200 });
  const { executionArn } = await startRun(denied, target);
  const result = await follow(executionArn);
  expect(result).toMatchObject({
    kind: 'failed',
    message: expect.stringMatching(/not authorized to perform: bedrock:/),
  });
});

test('the recipe of a parent execution starts a run as its child, waits for its end, and goes on by its status', async () => {
  const recipe = await readFile('examples/recipes/step-functions/nightly.asl.json', 'utf8');
  const { stateMachineArn: child } = target.deployment;
  // A role that Step Functions may assume: what it may do is not checked here.
  const { roleArn } = await target.sfn.send(new DescribeStateMachineCommand({ stateMachineArn: child }));
  const { stateMachineArn = '' } = await target.sfn.send(
    new CreateStateMachineCommand({
      name: 'Nightly',
      roleArn,
      definition: recipe.replace('${QuarryStateMachineArn}', child),
    }),
  );
  // On demand, as a job is only looked at from time to time.
  const dataset = `s3://${bucket}/datasets/reviews.csv` as const;
  await target.store.write(dataset, `topic\n${'a lid that broke\n'.repeat(20)}`);
  const { executionArn } = await target.sfn.send(
    new StartExecutionCommand({
      stateMachineArn,
      input: JSON.stringify({ day: '2026-11-27', dataset, prompt: 'Tell a joke about {topic}.' }),
    }),
  );
  await expect
    .poll(() => target.sfn.send(new DescribeExecutionCommand({ executionArn })), { timeout: 100_000 })
    .toMatchObject({ status: 'SUCCEEDED' });
  const summary = await target.store.read(`s3://${bucket}/runs/reviews-2026-11-27/summary.json`);
  expect(JSON.parse(Buffer.from(summary).toString())).toMatchObject({
    status: 'succeeded',
    rows: { total: 20, succeeded: 20 },
  });
});

test('a run whose rows name images reads those that the stack may read, and is whole', async () => {
  const { store } = target;
  await s3.send(new CreateBucketCommand({ Bucket: 'their-bucket' }));
  const photo = pngOf(20, 30, 1);
  for (const uri of [`s3://${bucket}/datasets/photos/a.png`, 's3://their-bucket/b.png'] as const) {
    await store.write(uri, photo);
  }
  const names = [
    'photos/a.png',
    `s3://${bucket}/datasets/photos/a.png`,
    's3://their-bucket/b.png',
    'none.png',
  ];
  const dataset = `s3://${bucket}/datasets/photos.csv` as const;
  await store.write(dataset, `topic,photo\n${names.map((name, row) => `${row},${name}\n`).join('')}`);
  const asked = input({ s3_uri: dataset, run_id: 'photos', image_columns: ['photo'] });
  const { executionArn } = await startRun(asked, target);
  const result = await follow(executionArn);
  expect(result, ministack.log().slice(-3000)).toMatchObject({
    kind: 'finished',
    summary: { rows: { total: 4, succeeded: 2, failed: 0, not_sent: 2 }, on_demand_records: 2 },
  });
  const layout = runLayout(runUriOf(bucket, 'photos'));
  expect(await verifyRun(layout, store)).toEqual({ outputFiles: 1, rows: 4, broken: [] });
  await using output = await store.fetchFile(layout.output('p00001'));
  const rows = await Array.fromAsync(readResults([output.path], {}));
  expect(rows.map(({ response, error_code }) => error_code ?? response)).toEqual([
    expect.stringContaining('an image (png, 20 × 30 pixels)'),
    expect.stringContaining('an image (png, 20 × 30 pixels)'),
    'ImageNotReadable',
    'ImageNotFound',
  ]);
});

test('the proof that a user runs: its script asks, deploys a stack, cancels and resumes a run, sets an alarm off, and leaves nothing', async () => {
  const report = join(directory, 'report');
  const terminal = openTerminal(['--rows', '200', '--model-id', MODEL, '--report', report], {
    columns: 200,
    rows: 50,
    program: 'scripts/proof-aws.ts',
    env: {
      NODE_EXTRA_CA_CERTS: ministack.authority,
      // What the CDK goes by.
      AWS_CA_BUNDLE: ministack.authority,
      CDK_HOME: directory,
    },
  });
  await terminal.shows('Do it? (y/N)');
  terminal.press('y\r');
  expect(await terminal.ended, terminal.sent().slice(-5000)).toBe(0);
  const { seen, findings, ...about } = JSON.parse(await readFile(`${report}.json`, 'utf8'));
  expect(about).toMatchObject({ rows: 200, model_id: MODEL, region: REGION });
  expect(seen).toMatchObject({
    failed: {},
    cancelled: { status: 'cancelled', rows: { total: 200 } },
    resumed: { status: 'succeeded', rows: { total: 200, succeeded: 200 } },
    brokenFiles: 0,
  });
  expect(Object.keys(seen.tookMs)).toEqual(['deploy', 'cancel half-way', 'resume', 'alarm', 'destroy']);
  expect(findings.filter(({ verdict }: Finding) => verdict === 'differs')).toEqual([]);
  expect(await readFile(`${report}.txt`, 'utf8')).toContain(
    'Nothing differed from what the emulator assumes.',
  );
  // Of the stack of its own nothing is left, and the other one is as it was.
  const { Buckets = [] } = await s3.send(new ListBucketsCommand());
  expect(Buckets.map(({ Name = '' }) => Name).filter((name) => name.startsWith('quarryproof'))).toEqual([]);
  expect(Buckets.map(({ Name }) => Name)).toContain(bucket);
});
