import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startQuarry } from '../support/quarry-process.ts';
import { CREDENTIALS, REGION } from './moto.ts';
import { EMULATOR, openWorld, type World } from './world.ts';

const RUN = [
  ...['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ...['--prompt-template', 'Tell a joke about {topic}.', '--max-records-per-job', '120'],
];

let world: World;
let file: string;
let dir: string;

beforeAll(async () => {
  world = await openWorld({
    faults: [
      ...(EMULATOR.faults as []),
      { when: { jobName: '^slow-' }, fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 600_000 } },
    ],
  });
  vi.stubEnv('AWS_ENDPOINT_URL', world.url);
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
  file = join(world.directory, 'rows.csv');
  dir = join(world.directory, 'store');
  const rows = Array.from({ length: 240 }, (_, row) => `${row},topic ${row}`);
  await writeFile(file, `id,topic\n${rows.join('\n')}\n`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await world?.[Symbol.asyncDispose]();
});

/** A command, as users give it. */
function start(...args: string[]) {
  return startQuarry(...args, '--dir', dir);
}

async function quarry(...args: string[]) {
  const process = start(...args);
  return { status: await process.ended, out: process.out(), err: process.err() };
}

/** Starts a command that follows, and presses Ctrl-C once jobs are at work. */
async function untilInterrupted(...args: string[]) {
  const process = start(...args);
  await process.printed(/Wave 1/);
  process.signal('SIGINT');
  return { status: await process.ended, out: process.out(), err: process.err() };
}

function jobsCreated(): number {
  return world.calls.filter(({ method, path }) => method === 'POST' && path === '/model-invocation-job')
    .length;
}

test('a local dataset goes to the stack, is followed to its end, and its results come back', async () => {
  const { status, out, err } = await quarry('run', file, ...RUN, '--run-id', 'jokes', '--target', 'aws');
  expect(status, err).toBe(0);
  expect(err).toMatch(/Z Uploaded rows\.csv: /m);
  expect(err).toContain('Started the execution jokes of the stack "Quarry" in us-east-1.');
  expect(err).toMatch(/Z Plan: run jokes, 240 rows in 2 parts/m);
  for (const line of [
    /Z Prepare$/m,
    /Z Prepared p00001: 120 rows/m,
    /Z Wave 1: /m,
    /Z Collected p00001: /m,
    /Z Summarize$/m,
  ]) {
    expect(err).toMatch(line);
  }
  expect(out).toContain('Run jokes: every row answered');
  expect(out).toContain('All rows: quarry results jokes');

  // Remembered: nobody has to say where it is.
  const results = await quarry('results', 'jokes', '--format', 'jsonl');
  expect(results.out.trimEnd().split('\n')).toHaveLength(240);
  expect(JSON.parse(results.out.split('\n')[0] ?? '')).toMatchObject({ topic: 'topic 0', error_code: null });
  expect((await quarry('status', 'jokes')).out).toContain('Run jokes: every row answered');

  const jobs = jobsCreated();
  const again = await quarry('run', file, ...RUN, '--run-id', 'jokes', '--target', 'aws', '--json');
  expect(again.err).toContain('Started the execution jokes_2 of the stack');
  expect(again.err).not.toContain('Uploaded rows.csv');
  expect(JSON.parse(again.out)).toMatchObject({ status: 'succeeded', rows: { succeeded: 240 } });
  expect(jobsCreated()).toBe(jobs);
});

test('Ctrl-C leaves the run alone, and it is followed again, cancelled, resumed and stopped by its name', async () => {
  const slow = [...RUN, '--run-id', 'slow', '--job-name-prefix', 'slow', '--target', 'aws'];
  const started = await untilInterrupted('run', file, ...slow);
  expect(started.status).toBe(130);
  expect(started.err).toContain(
    `Detached: The run continues on AWS.\nTo follow it again: quarry status slow --follow --dir ${dir}\nTo stop it: quarry cancel slow --dir ${dir}\n`,
  );

  const status = await quarry('status', 'slow');
  expect(status.out).toContain('The execution slow has been working on it since ');
  expect(status.out).toMatch(/Bedrock has its jobs as .*1 (InProgress|Submitted|Validating|Scheduled)/);
  expect(status.out).toContain('To follow it: quarry status slow --follow');
  expect(JSON.parse((await quarry('status', 'slow', '--json')).out)).toMatchObject({
    run_id: 'slow',
    status: 'running',
    execution: { status: 'RUNNING', error: null },
    rows: { total: 240 },
  });
  const runs = await quarry('runs', '--target', 'aws', '--json');
  expect(JSON.parse(runs.out)).toContainEqual(
    expect.objectContaining({ run_id: 'slow', at: `s3://${world.bucket}`, status: 'running' }),
  );

  const again = await untilInterrupted('run', file, ...slow);
  expect(again.err).toContain(
    'The execution slow of the stack "Quarry" in us-east-1 is already working on the run',
  );
  const followed = await untilInterrupted('status', 'slow', '--follow');
  expect(followed.status).toBe(130);

  const cancelled = await quarry('cancel', 'slow', '--json');
  expect(cancelled.err).toContain('The execution slow is working on the run; its jobs are stopped');
  expect(cancelled.status).toBe(2);
  expect(JSON.parse(cancelled.out)).toMatchObject({
    run_id: 'slow',
    status: 'cancelled',
    rows: { total: 240 },
  });
  expect((await quarry('cancel', 'slow')).err).toContain(
    'Run slow has ended already: there is nothing to cancel.',
  );

  const resumed = await untilInterrupted('resume', 'slow');
  expect(resumed.err).toContain('Started the execution slow_2 of the stack');
  const stopped = await quarry('cancel', 'slow', '--now');
  expect(stopped).toMatchObject({
    status: 0,
    out: expect.stringContaining(
      'What the jobs had done is not collected yet.\nTo collect it: quarry cancel slow',
    ),
  });
  expect((await quarry('status', 'slow')).out).toContain(
    'No execution is working on it. The last one, slow_2, ended as ABORTED.',
  );
  const harvested = await quarry('cancel', 'slow');
  expect(harvested.err).toContain('No execution is working on run slow: one is started that collects');
  expect(harvested.out).toContain('Run slow: cancelled before every row was answered.');
});

test('a run that fails says why, and how to go on', async () => {
  const flags = ['--run-id', 'ended', '--job-name-prefix', 'stopped', '--target', 'aws'];
  const { status, err } = await quarry('run', file, ...RUN, ...flags);
  expect(status).toBe(1);
  expect(err).toMatch(/Error: .*end of its life[\s\S]*\(SystematicFaultError\)/);
  expect(err).toContain(`quarry resume ended --dir ${dir}`);
  const refused = await quarry(
    'run',
    file,
    ...RUN.with(3, 'Say {nothing}'),
    '--run-id',
    'refused',
    '--target',
    'aws',
  );
  expect(refused.err).toContain('Error: The prompt needs column "nothing"');
  expect(refused.err).not.toContain('quarry resume');
  expect((await quarry('status', 'refused', '--target', 'aws')).out).toMatch(
    /^Run refused has no plan yet\.\nNo execution is working on it\. The last one, refused, ended as FAILED\.\nError: /,
  );
});

test('a stack that is not there, or not here, is missed where it was looked for', async () => {
  const other = await quarry('run', file, ...RUN, '--target', 'aws', '--stack', 'Other');
  expect(other.status).toBe(1);
  expect(other.err).toContain(
    'There is no stack "Other" in us-east-1 of account 123456789012. There is "Quarry", which looks like Quarry\'s: give the name with --stack.',
  );
  const elsewhere = await quarry('runs', '--target', 'aws', '--region', 'eu-west-1');
  expect(elsewhere.err).toContain('There is no stack "Quarry" in eu-west-1 of account 123456789012.');
});

test('a plan counts and prices what the stack would run', async () => {
  const { out } = await quarry('plan', file, ...RUN, '--target', 'aws', '--json');
  expect(JSON.parse(out)).toMatchObject({
    rows: 240,
    parts: 2,
    uploaded_to: expect.stringContaining(world.bucket),
  });
});
