import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { RunSummary } from '../../src/core/summary.ts';
import { startEmulator } from '../../src/emulator/server.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { runLocally } from '../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, openLocalTarget } from '../../src/targets/local/local-target.ts';
import { definition, STEP_NAMES } from '../../src/workflow/definition.ts';
import { allowingStatement } from './iam-policy.ts';
import { MOTO_ACCOUNT } from './moto.ts';
import { requiredRights } from './required-rights.ts';
import { EMULATOR, openWorld, ROWS, SECRET, type World } from './world.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** The runs: one of jobs, with all that may befall them; one below Bedrock's minimum. */
const RUNS = {
  jobs: { run_id: 'many-jobs', max_records_per_job: 110, max_attempts: 2 },
  onDemand: { run_id: 'on-demand', max_records: 7 },
  denied: { run_id: 'denied', job_name_prefix: 'denied', max_records_per_job: 300 },
  stopped: { run_id: 'stopped', job_name_prefix: 'stopped', max_records_per_job: 110 },
};

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world?.[Symbol.asyncDispose]());

function inputOf(run: (typeof RUNS)[keyof typeof RUNS], bucket: string) {
  return {
    s3_uri: `s3://${bucket}/datasets/topics.csv`,
    model_id: MODEL,
    prompt_template: 'Tell a joke about {topic}.',
    ...run,
  };
}

/** How a run ended, and what it left. */
interface RunEnd {
  /** Undefined where it ended well. */
  fault: { error: string | undefined; message: string | undefined } | undefined;
  summary: RunSummary;
  rows: unknown[];
}

/** Runs the deployed definition by moto's interpreter. */
async function runOnMoto(run: (typeof RUNS)[keyof typeof RUNS]): Promise<RunEnd> {
  const { sfn, bucket, store } = world;
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name: `${run.run_id}-${Math.random().toString(36).slice(2)}`,
      definition: world.definitionText,
      roleArn: `arn:aws:iam::${MOTO_ACCOUNT}:role/states`,
    }),
  );
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(inputOf(run, bucket)) }),
  );
  let fault: RunEnd['fault'];
  for (;;) {
    const { status, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'FAILED') fault = { error, message: cause };
    if (status !== 'RUNNING') break;
    await systemClock.sleep(200);
  }
  if (fault?.error?.startsWith('States.'))
    throw new Error(`The execution failed: ${fault.error} ${fault.message}`);
  const bytes = await store.read(`s3://${bucket}/runs/${run.run_id}/summary.json`);
  const summary = RunSummary.parse(JSON.parse(Buffer.from(bytes).toString()));
  await using files = new AsyncDisposableStack();
  const paths: string[] = [];
  for (const uri of summary.output_uris) {
    paths.push(files.use(await store.fetchFile(uri as `s3://${string}`)).path);
  }
  return { fault, summary, rows: await Array.fromAsync(readResults(paths, {})) };
}

/** Runs the same on the embedded engine: a directory, and an emulator of the same seed and faults. */
async function runEmbedded(run: (typeof RUNS)[keyof typeof RUNS]): Promise<RunEnd> {
  const directory = join(world.directory, `embedded-${run.run_id}`);
  const store = createDirectoryStore(directory);
  const uri = `s3://${world.bucket}/datasets/topics.csv` as const;
  await using dataset = await world.store.fetchFile(uri);
  const copy = join(world.directory, 'copy.csv');
  await writeFile(copy, await world.store.read(uri));
  expect(dataset.path).toContain('topics.csv');
  await store.putFile(copy, uri);
  const emulator = await startEmulator({ ...EMULATOR, store, stateDirectory: join(directory, '.emulator') });
  try {
    await using target = await openLocalTarget({
      directory,
      clock: systemClock,
      version: '0.1.0',
      emulatorUrl: emulator.url,
    });
    const result = await runLocally(inputOf(run, world.bucket), { target, random: () => 0.5 });
    const bytes = await store.read(`s3://${LOCAL_BUCKET}/runs/${run.run_id}/summary.json`);
    const summary = RunSummary.parse(JSON.parse(Buffer.from(bytes).toString()));
    await using files = new AsyncDisposableStack();
    const paths: string[] = [];
    for (const output of summary.output_uris) {
      paths.push(files.use(await store.fetchFile(output as `s3://${string}`)).path);
    }
    return {
      fault: result.kind === 'failed' ? { error: result.error, message: result.message } : undefined,
      summary,
      rows: await Array.fromAsync(readResults(paths, {})),
    };
  } finally {
    await emulator.close();
  }
}

/** What a run left, without what differs from place to place: times, buckets, ETags, and who answered. */
function comparable({ fault, rows, summary }: RunEnd): unknown {
  const { started_at: _s, ended_at: _e, input_hash: _h, simulated: _, dataset_files, ...same } = summary;
  const files = dataset_files.map(({ etag: _etag, ...file }) => file);
  const text = JSON.stringify({ fault, rows, summary: { ...same, files } });
  return JSON.parse(text.replaceAll(world.bucket, 'BUCKET').replaceAll(LOCAL_BUCKET, 'BUCKET'));
}

/** Runs both, and expects the same of them. */
async function expectSame(run: (typeof RUNS)[keyof typeof RUNS]): Promise<RunEnd> {
  const deployed = await runOnMoto(run);
  const embedded = await runEmbedded(run);
  expect(comparable(deployed)).toEqual(comparable(embedded));
  return deployed;
}

test('the deployed definition, run by an independent interpreter with the bundled functions, gives the embedded engine’s summary and rows', async () => {
  const { fault, summary, rows } = await expectSame(RUNS.jobs);
  expect(fault).toBeUndefined();
  expect(summary).toMatchObject({ status: 'partly_succeeded', rows: { total: ROWS, succeeded: ROWS - 1 } });
  // One job for each part, and the repair of what one failed and one half-done job have left.
  expect(summary.jobs).toBeGreaterThan(8);
  expect(new Set(rows.map((row) => (row as { attempts: number }).attempts))).toEqual(new Set([1, 2]));
});

test('a run below Bedrock’s minimum is run on demand, in both the same', async () => {
  const { summary } = await expectSame(RUNS.onDemand);
  expect(summary).toMatchObject({ on_demand_records: 7, jobs: 0, status: 'succeeded' });
});

test('a run whose jobs all fail alike is stopped with that fault, in both the same', async () => {
  const { fault, summary } = await expectSame(RUNS.stopped);
  expect(fault).toMatchObject({ message: expect.stringContaining('end of its life') });
  expect(summary.rows.succeeded).toBe(0);
});

test('a run whose service role may not read is stopped with what to do, in both the same', async () => {
  const { fault } = await expectSame(RUNS.denied);
  expect(fault).toBeDefined();
});

test('a run that was stopped goes on when it is started again', async () => {
  const { fault } = await runOnMoto(RUNS.stopped);
  expect(fault).toMatchObject({ message: expect.stringContaining('end of its life') });
});

test('the definition that ran is the one of the workflow, function names apart', () => {
  const names = STEP_NAMES.map((step) => `${step}Function`);
  const text = JSON.stringify(definition);
  const placeholders = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name);
  expect(new Set(placeholders)).toEqual(new Set(names));
  expect(world.definitionText.length).toBeGreaterThan(text.length);
  expect(world.definitionText).not.toContain('${');
});

test('no function wrote a word of the dataset, or of the prompt, to its log', () => {
  for (const [step, host] of world.hosts) {
    expect(host.log(), step).toContain(`${step} is done`);
    expect(host.log(), step).not.toContain(SECRET);
    expect(host.log(), step).not.toContain('Tell a joke');
  }
});

const CALLERS = [...STEP_NAMES, 'stateMachine', 'serviceRole'] as const;

test.each(CALLERS)('every AWS call of %s is allowed by its own policies', (caller) => {
  const calls = world.calls.filter((call) => call.caller === caller);
  expect(calls.length).toBeGreaterThan(0);
  const statements = world.statementsOf(caller);
  const refused = calls.flatMap((call) =>
    requiredRights(call).filter((right) => allowingStatement(statements, right) === undefined),
  );
  expect(refused).toEqual([]);
});

/** Permissions that these runs have no use for, each with what does use it. */
const UNUSED: Readonly<Record<string, string>> = {
  WriteLog: 'Lambda and Step Functions write the logs themselves',
  Trace: 'Lambda and Step Functions write the traces themselves',
  AbortUploads: 'only after a multipart upload that failed',
  FindJobs: 'only where the answer to a creation was lost, or a run was cancelled',
  StartChildren: 'moto starts the children of a Map Run within its own process',
  ManageChildren: 'moto manages the children of a Map Run within its own process',
};

/** Single actions and resources of a statement that these runs have no use for. */
const UNUSED_PARTS: Readonly<Record<string, string>> = {
  'serviceRole Models': 'the emulator asks no model',
  'stateMachine WriteMapResults s3:GetObject': 'Step Functions reads large results back',
  'stateMachine WriteMapResults s3:ListMultipartUploadParts': 'only for results of many megabytes',
  'stateMachine WriteMapResults s3:AbortMultipartUpload': 'only for results of many megabytes',
  'collect faults/*': 'only for a part that could not be collected',
  'plan datasets/hf/*': 'only for a Hugging Face dataset',
  'serviceRole ListBucket': 'Bedrock lists its locations, the emulator does not',
};

test.each(CALLERS)('no permission of %s is without a use that is known', (caller) => {
  const calls = world.calls.filter((call) => call.caller === caller);
  const statements = world.statementsOf(caller);
  const used = new Set<string>();
  for (const right of calls.flatMap(requiredRights)) {
    const allowed = allowingStatement(statements, right);
    if (allowed === undefined) continue;
    used.add(`${allowed.statement.Sid} ${right.action}`);
    // Every pattern that covers the call, not just the first one, so that overlapping ones count as used.
    for (const pattern of [allowed.statement.Resource].flat()) {
      if (allowingStatement([{ ...allowed.statement, Resource: pattern }], right) !== undefined) {
        used.add(`${allowed.statement.Sid} ${pattern}`);
      }
    }
  }
  const idle = statements
    .filter(({ Sid }) => UNUSED[Sid] === undefined)
    .flatMap(({ Sid, Action, Resource }) =>
      [...[Action].flat(), ...[Resource].flat().filter((arn) => !isModel(arn))]
        .filter((part) => !used.has(`${Sid} ${part}`))
        .map((part) => `${caller} ${Sid} ${part}`),
    )
    .filter(
      (entry) => !Object.keys(UNUSED_PARTS).some((known) => entry.startsWith(known) || isPart(entry, known)),
    );
  expect(idle).toEqual([]);
});

/** Allowed models are the deployer's choice. */
function isModel(arn: string): boolean {
  return arn.includes(':foundation-model/') || arn.includes(':inference-profile/');
}

/** `collect faults/*` stands for the resource of collect that ends so. */
function isPart(entry: string, known: string): boolean {
  const [caller = '', end = ''] = known.split(' ');
  return entry.startsWith(`${caller} `) && entry.endsWith(end);
}
