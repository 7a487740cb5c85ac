import { createHash } from 'node:crypto';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { RunEvent } from '../../src/core/run/run-event.ts';
import { cancelRun, resumeRun } from '../../src/targets/aws/cancel-run.ts';
import { type DeployedTarget, openDeployedTarget } from '../../src/targets/aws/deployed-target.ts';
import { describeExecution, findExecutions } from '../../src/targets/aws/executions.ts';
import { type FollowOptions, followRun } from '../../src/targets/aws/follow-execution.ts';
import { lastExecutions, readRunStatus } from '../../src/targets/aws/run-status.ts';
import { startRun } from '../../src/targets/aws/start-run.ts';
import { CREDENTIALS, MOTO_ACCOUNT, REGION } from './moto.ts';
import { EMULATOR, openWorld, ROWS, type World } from './world.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

let world: World;
let target: DeployedTarget;
const saved = { ...process.env };

beforeAll(async () => {
  world = await openWorld({
    faults: [
      ...(EMULATOR.faults as []),
      // Long enough to be looked at, and to be cancelled.
      { when: { jobName: '^slow-' }, fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 600_000 } },
    ],
  });
  Object.assign(process.env, {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL: world.url,
  });
  target = await openDeployedTarget({
    version: '0.1.0',
    clock: systemClock,
    random: Math.random,
    hash: (text) => createHash('sha256').update(text).digest('hex'),
  });
});

afterAll(async () => {
  process.env = saved;
  await target?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

function input(keys: Record<string, unknown> = {}) {
  return {
    s3_uri: `s3://${world.bucket}/datasets/topics.csv`,
    model_id: MODEL,
    prompt_template: 'Tell a joke about {topic}.',
    ...keys,
  };
}

/** Follows to the end, and keeps what it was told. */
async function follow(executionArn: string, options: Partial<FollowOptions> = {}) {
  const told: RunEvent[] = [];
  const result = await followRun(executionArn, {
    target,
    pollMs: 200,
    onProgress: (progress) => told.push(progress),
    ...options,
  });
  return { told, result };
}

/** Aborts as soon as a job is seen at work. */
function untilJobRuns() {
  const abort = new AbortController();
  const onProgress = (progress: RunEvent) => {
    if (progress.kind === 'job' && progress.status === 'InProgress') abort.abort(new Error('Interrupted.'));
  };
  return { signal: abort.signal, onProgress };
}

test('the deployment is found by its stack', () => {
  expect(target.deployment).toMatchObject({
    stackName: 'Quarry',
    region: REGION,
    account: MOTO_ACCOUNT,
    bucket: world.bucket,
    quarryVersion: '0.1.0',
    problems: [],
  });
});

test('a run is started, followed to its end, and started again for nothing', async () => {
  const document = input({ run_id: 'followed', max_records_per_job: 110, max_attempts: 2 });
  const started = await startRun(document, target);
  expect(started).toMatchObject({ executionName: 'followed', runId: 'followed', joined: false });
  // Whoever starts it at the same time joins it.
  expect(await startRun(document, target)).toEqual({ ...started, joined: true });

  const { result, told } = await follow(started.executionArn);
  expect(result).toMatchObject({
    kind: 'finished',
    summary: { run_id: 'followed', status: 'partly_succeeded', rows: { total: ROWS, succeeded: ROWS - 1 } },
  });
  const kinds = told.map((progress) => progress.kind);
  expect(kinds.indexOf('planned')).toBeGreaterThanOrEqual(0);
  expect(kinds.indexOf('prepared')).toBeGreaterThan(kinds.indexOf('planned'));
  expect(kinds.indexOf('dispatched')).toBeGreaterThan(kinds.lastIndexOf('prepared'));
  const states = told.flatMap((progress) => (progress.kind === 'state_entered' ? [progress.state] : []));
  expect(states.slice(0, 4)).toEqual(['Plan', 'Prepare', 'Dispatch', 'Anything owed?']);
  expect(states).toContain('Summarize');
  expect(kinds.lastIndexOf('collected')).toBeLessThan(
    told.findIndex((progress) => progress.kind === 'state_entered' && progress.state === 'Summarize'),
  );
  const rows = told.reduce((sum, progress) => sum + (progress.kind === 'prepared' ? progress.rows : 0), 0);
  expect(rows).toBe(ROWS);
  const collected = told.flatMap((progress) => (progress.kind === 'collected' ? [progress.partId] : []));
  expect(new Set(collected).size).toBe(collected.length);

  const jobsBefore = world.calls.filter(isJobCreation).length;
  const again = await startRun(document, target);
  expect(again).toMatchObject({ executionName: 'followed_2', joined: false });
  expect((await follow(again.executionArn)).result).toEqual(result);
  expect(world.calls.filter(isJobCreation).length).toBe(jobsBefore);
  expect((await lastExecutions(target)).get('followed')).toMatchObject({ status: 'SUCCEEDED' });
});

function isJobCreation({ method, path }: { method: string; path: string }): boolean {
  return method === 'POST' && path === '/model-invocation-job';
}

test('a run without an id is named as Plan names it, whoever starts it', async () => {
  const document = input({ job_name_prefix: 'nameless', max_records: 5 });
  const { runId = '', executionName, executionArn } = await startRun(document, target);
  expect(runId).toMatch(/^nameless-[0-9a-f]{10}$/);
  expect(executionName).toBe(runId);
  expect((await follow(executionArn)).result).toMatchObject({ summary: { run_id: runId } });
});

test('one that was started in the console is found by its run, and joined', async () => {
  const sfn = new SFNClient({ endpoint: world.url, region: REGION, credentials: CREDENTIALS });
  onTestFinished(() => sfn.destroy());
  const document = input({ job_name_prefix: 'slow-console', max_num_jobs: 1, max_records_per_job: 120 });
  const { executionArn = '' } = await sfn.send(
    new StartExecutionCommand({
      stateMachineArn: target.deployment.stateMachineArn,
      name: '3ff0c5a2-console',
      input: JSON.stringify(document),
    }),
  );
  await follow(executionArn, untilJobRuns());
  const started = await startRun(document, target);
  expect(started).toMatchObject({ executionArn, joined: true });
  const { runId = '' } = started;
  await expect(startRun({ ...document, run_id: runId, max_attempts: 1 }, target)).rejects.toThrow(
    /exists, with another input: max_attempts differ/,
  );
  const cancelled = await cancelRun(runId, { target, pollMs: 200 });
  expect(cancelled).toMatchObject({ kind: 'followed', result: { kind: 'finished' } });
});

test('following is given up and taken up again, and the execution goes on', async () => {
  const document = input({ run_id: 'reattached', max_records_per_job: 300 });
  const { executionArn } = await startRun(document, target);
  const abort = new AbortController();
  const first = await follow(executionArn, {
    signal: abort.signal,
    onProgress: (progress) => {
      if (progress.kind === 'dispatched') abort.abort(new Error('Interrupted.'));
    },
  });
  expect(first.result).toEqual({ kind: 'detached', runId: 'reattached', fault: undefined });
  const [execution] = await findExecutions('reattached', target);
  expect(execution).toMatchObject({ executionArn, status: 'RUNNING' });
  const second = await follow(executionArn);
  expect(second.result).toMatchObject({ kind: 'finished', summary: { rows: { total: ROWS } } });
  // What was before is told again, so that it looks as if nobody had been away.
  expect(second.told.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['planned', 'prepared', 'collected']),
  );
});

test('a cancelled run is harvested by its own execution, and goes on when it is resumed', async () => {
  const document = input({
    run_id: 'cancelled',
    job_name_prefix: 'slow-cancel',
    max_records: 240,
    max_records_per_job: 120,
  });
  const { executionArn } = await startRun(document, target);
  await follow(executionArn, untilJobRuns());
  expect(await readRunStatus('cancelled', target)).toMatchObject({
    isAtWork: true,
    isCancelled: false,
    execution: { name: 'cancelled' },
    fault: undefined,
  });
  const names: string[] = [];
  const result = await cancelRun('cancelled', {
    target,
    pollMs: 200,
    onExecution: ({ name }) => names.push(name),
  });
  expect(names).toEqual(['cancelled']);
  expect(result).toMatchObject({
    kind: 'followed',
    result: { kind: 'finished', summary: { status: 'cancelled', rows: { total: 240 } } },
  });
  const status = await readRunStatus('cancelled', target);
  expect(status).toMatchObject({ isAtWork: false, isCancelled: true });
  expect(status.jobs.byStatus.Stopped).toBeGreaterThan(0);
  expect(await cancelRun('cancelled', { target })).toMatchObject({ kind: 'ended' });

  const resumed = await resumeRun('cancelled', target);
  expect(resumed).toMatchObject({ executionName: 'cancelled_2', joined: false });
  await follow(resumed.executionArn, untilJobRuns());
  expect(await readRunStatus('cancelled', target)).toMatchObject({ isAtWork: true, isCancelled: false });

  const stopped = await cancelRun('cancelled', { target, now: true });
  expect(stopped).toMatchObject({ kind: 'stopped', executionName: 'cancelled_2' });
  expect(stopped.kind === 'stopped' && stopped.stoppedJobs.length).toBeGreaterThan(0);
  const { status: end } = await describeExecution(target.sfn, resumed.executionArn);
  expect(end).toBe('ABORTED');
  expect((await follow(resumed.executionArn)).result).toMatchObject({
    kind: 'failed',
    error: 'ExecutionAborted',
    runId: 'cancelled',
  });
  expect(await cancelRun('cancelled', { target })).toMatchObject({ kind: 'not_running' });
  // Started again it harvests what was left, and sends nothing.
  const harvest = await startRun(document, target);
  expect(harvest).toMatchObject({ executionName: 'cancelled_3' });
  expect((await follow(harvest.executionArn)).result).toMatchObject({
    kind: 'finished',
    summary: { status: 'cancelled' },
  });
});

test('a run that failed says why, and is started again under the same id', async () => {
  const document = input({ run_id: 'fails', job_name_prefix: 'stopped', max_records_per_job: 300 });
  const { executionArn } = await startRun(document, target);
  const { result } = await follow(executionArn);
  expect(result).toMatchObject({
    kind: 'failed',
    error: 'SystematicFaultError',
    message: expect.stringContaining('end of its life'),
    runId: 'fails',
  });
  expect(await readRunStatus('fails', target)).toMatchObject({
    isAtWork: false,
    fault: { error: 'SystematicFaultError' },
  });
  const again = await startRun(document, target);
  expect(again).toMatchObject({ executionName: 'fails_2', joined: false });
  expect((await follow(again.executionArn)).result).toMatchObject({ kind: 'failed' });
});

test('what Plan refuses is the run’s error, by its own name', async () => {
  const { executionArn } = await startRun(
    input({ run_id: 'no-column', prompt_template: '{nothing}' }),
    target,
  );
  expect((await follow(executionArn)).result).toMatchObject({
    kind: 'failed',
    error: 'InvalidRunInputError',
    message: expect.stringContaining('The prompt needs column "nothing"'),
  });
});

test('a dataset that is not there is refused before anything is started', async () => {
  const document = input({ run_id: 'no-dataset', s3_uri: `s3://${world.bucket}/datasets/none.csv` });
  await expect(startRun(document, target)).rejects.toThrow(/There is no object/);
  expect(await findExecutions('no-dataset', target)).toEqual([]);
});

test('a run that nobody knows cannot be cancelled or resumed', async () => {
  await expect(cancelRun('nobody', { target })).rejects.toThrow(
    `There is no run "nobody" on the stack "Quarry" in ${REGION}.`,
  );
  await expect(resumeRun('nobody', target)).rejects.toThrow(/There is no plan of a run "nobody"/);
});
