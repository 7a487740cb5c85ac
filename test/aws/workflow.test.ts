import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { RunSummary } from '../../src/core/run/summary.ts';
import { startEmulator } from '../../src/emulator/server.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { runLocally } from '../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET, openLocalTarget } from '../../src/targets/local/local-target.ts';
import { definition, STEP_NAMES } from '../../src/workflow/definition.ts';
import { CALLERS, type Caller, documentedRights, impliedRights } from './documented-rights.ts';
import { allowingStatement, type PolicyStatement, type RequiredRight } from './iam-policy.ts';
import { MOTO_ACCOUNT } from './moto.ts';
import { requiredRights } from './required-rights.ts';
import { EMULATOR, openWorld, ROWS, SECRET, type World } from './world.ts';

const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** The runs: one of jobs, with all that may befall them; one below Bedrock's minimum. */
const RUNS = {
  jobs: { run_id: 'many-jobs', max_records_per_job: 110, max_attempts: 2 },
  onDemand: { run_id: 'on-demand', max_records: 7, reuse: true },
  reused: { run_id: 'reused', max_records: 7, reuse: true },
  denied: { run_id: 'denied', job_name_prefix: 'denied', max_records_per_job: 300 },
  stopped: { run_id: 'stopped', job_name_prefix: 'stopped', max_records_per_job: 110 },
  // Of a temperature of its own, so that no run before has an answer of it.
  dedupe: {
    run_id: 'dedupe',
    reuse: true,
    inference_parameters: { temperature: 0.5 },
    max_records_per_job: 110,
    s3_uri: 'datasets/repeated.csv',
  },
  // Two models: each has parts of its own, of which the second's first job fails.
  variants: {
    run_id: 'variants',
    max_records: 120,
    variants: { haiku: {}, nova: { model_id: 'us.amazon.nova-lite-v1:0' } },
  },
  hub: { run_id: 'hub', dataset_id: 'o/topics' },
  notAllowed: {
    run_id: 'not-allowed',
    // Plan asks what it is of.
    model_id: `arn:aws:bedrock:us-east-1:${MOTO_ACCOUNT}:application-inference-profile/abc123`,
    max_records: 200,
  },
  cancelled: { run_id: 'cancelled', max_records: 200 },
  unreadable: { run_id: 'unreadable', max_records: 200 },
  unrepaired: { run_id: 'unrepaired', max_records_per_job: 110 },
} as const;
type Run = Partial<Record<'s3_uri' | 'dataset_id' | 'model_id', string>> & { run_id: string };

let world: World;

beforeAll(async () => {
  world = await openWorld();
});

afterAll(() => world?.[Symbol.asyncDispose]());

function inputOf({ s3_uri = 'datasets/topics.csv', ...run }: Run, bucket: string) {
  return {
    ...(run.dataset_id === undefined ? { s3_uri: `s3://${bucket}/${s3_uri}` } : {}),
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

/** Runs the deployed definition by moto's interpreter, to its summary. */
async function runOnMoto(run: Run): Promise<RunEnd> {
  const { bucket, store } = world;
  const fault = await executeOnMoto(run);
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

/** The fault that ends a run's execution before there is a summary. */
async function faultOnMoto(run: Run): Promise<NonNullable<RunEnd['fault']>> {
  const fault = await executeOnMoto(run);
  if (fault === undefined) throw new Error(`Run ${run.run_id} ended well.`);
  return fault;
}

async function executeOnMoto(run: Run): Promise<RunEnd['fault']> {
  const { sfn, bucket } = world;
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
  for (;;) {
    const { status, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status === 'FAILED') return { error, message: cause };
    if (status !== 'RUNNING') return undefined;
    await systemClock.sleep(200);
  }
}

/** Runs the same on the embedded engine: a directory, and an emulator of the same seed and faults. */
async function runEmbedded(run: Run): Promise<RunEnd> {
  const directory = join(world.directory, `embedded-${run.run_id}`);
  const store = createDirectoryStore(directory);
  const uri = `s3://${world.bucket}/${run.s3_uri ?? 'datasets/topics.csv'}` as const;
  await using dataset = await world.store.fetchFile(uri);
  const copy = join(world.directory, 'copy.csv');
  await writeFile(copy, await world.store.read(uri));
  expect(dataset.path).toContain('.csv');
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
  const {
    started_at: _s,
    ended_at: _e,
    input_hash: _h,
    simulated: _,
    billed: _b,
    dataset_files,
    ...same
  } = summary;
  const files = dataset_files.map(({ etag: _etag, ...file }) => file);
  const text = JSON.stringify({ fault, rows, summary: { ...same, files } });
  return JSON.parse(text.replaceAll(world.bucket, 'BUCKET').replaceAll(LOCAL_BUCKET, 'BUCKET'));
}

/** Runs both, and expects the same of them. */
async function expectSame(run: Run): Promise<RunEnd> {
  const deployed = await runOnMoto(run);
  const embedded = await runEmbedded(run);
  expect(comparable(deployed)).toEqual(comparable(embedded));
  return deployed;
}

test('the deployed definition, run by an independent interpreter with the bundled functions, gives the embedded engine’s summary and rows', async () => {
  const { fault, summary, rows } = await expectSame(RUNS.jobs);
  expect(fault).toBeUndefined();
  expect(summary).toMatchObject({ status: 'partly_succeeded', rows: { total: ROWS, succeeded: ROWS - 1 } });
  // One job for each part, and the repair of what one failed and one half-done job have left. What they did not
  // process has used no attempt; the record that failed in a job has.
  expect(summary.jobs).toBeGreaterThan(8);
  expect(new Set(rows.map((row) => (row as { attempts: number }).attempts))).toEqual(new Set([1, 2]));
});

test('a run below Bedrock’s minimum is run on demand, in both the same', async () => {
  const { summary } = await expectSame(RUNS.onDemand);
  expect(summary).toMatchObject({ on_demand_records: 7, jobs: 0, status: 'succeeded' });
});

test('a run whose rows a former one has paid for takes its answers out of the bucket, and sends nothing', async () => {
  const { fault, summary, rows } = await runOnMoto(RUNS.reused);
  expect(fault).toBeUndefined();
  expect(summary).toMatchObject({
    on_demand_records: 0,
    jobs: 0,
    cost_usd: 0,
    rows: { total: 7, succeeded: 7, failed: 0, not_sent: 0, reused: 7 },
  });
  expect(rows.map((row) => (row as { reused_from: string }).reused_from)).toEqual(Array(7).fill('on-demand'));
});

test('a run whose jobs all fail alike is stopped with that fault, in both the same', async () => {
  const { fault, summary } = await expectSame(RUNS.stopped);
  expect(fault).toMatchObject({ message: expect.stringContaining('end of its life') });
  expect(summary.rows.succeeded).toBe(0);
});

test('a run whose service role may not read is stopped with what to do, in both the same', async () => {
  const { fault } = await expectSame(RUNS.denied);
  expect(fault?.message).toContain('KMS');
});

test('rows that ask the same are asked once, in both the same', async () => {
  const { fault, summary } = await expectSame(RUNS.dedupe);
  expect(fault).toBeUndefined();
  expect(summary).toMatchObject({ status: 'succeeded', rows: { total: 400, succeeded: 400 } });
});

test('rows that two models are asked stand side by side, in both the same', async () => {
  const { fault, summary, rows } = await expectSame(RUNS.variants);
  expect(fault).toBeUndefined();
  expect(summary).toMatchObject({ status: 'succeeded', rows: { total: 240, succeeded: 240 } });
  expect(rows).toHaveLength(120);
  for (const row of rows) {
    expect(row).toMatchObject({ response_haiku: expect.any(String), response_nova: expect.any(String) });
  }
});

test('a Hugging Face dataset is brought into the bucket by Plan', async () => {
  const { fault, summary } = await runOnMoto(RUNS.hub);
  expect(fault).toBeUndefined();
  expect(summary).toMatchObject({ status: 'succeeded', rows: { total: 120, succeeded: 120 } });
});

test('a model that the stack does not allow ends the run with the refusal of the job as its cause', async () => {
  const { fault, summary } = await runOnMoto(RUNS.notAllowed);
  expect(`${fault?.message}`).toContain('not authorized');
  expect(`${fault?.message}`).toContain('/model-invocation-job');
  expect(`${fault?.message}`).not.toContain('/model-invocation-jobs');
  expect(summary.rows).toMatchObject({ total: 200, succeeded: 0 });
});

test('a run that was cancelled before a job was sent looks for one that was lost, and sends none', async () => {
  const { bucket, store } = world;
  await store.write(`s3://${bucket}/runs/cancelled/cancel.json`, '{"cancelled_at":"2026-01-01T00:00:00Z"}');
  const { summary } = await runOnMoto(RUNS.cancelled);
  expect(summary).toMatchObject({ jobs: 0, rows: { total: 200, not_sent: 200 } });
});

test('a part whose rows cannot be read is named, with the reason', async () => {
  world.deny(
    ({ caller, path }) => caller === 'collect' && path.endsWith('/unreadable/parts/p00001/rows.parquet'),
  );
  const { message } = await faultOnMoto(RUNS.unreadable);
  expect(message).toContain('p00001');
  expect(message).toContain('rows.parquet');
});

test('a repair whose records cannot be gathered is named, with the reason', async () => {
  world.deny(({ caller, path }) => caller === 'repack' && path.includes('/unrepaired/results/'));
  const { message } = await faultOnMoto(RUNS.unrepaired);
  expect(message).toContain('unrepaired/results/');
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

/** All rights that a caller was seen to need, or is documented to need. */
function neededRights(caller: Caller): RequiredRight[] {
  const calls = world.calls.filter((call) => call.caller === caller && call.status !== 403);
  return [
    ...calls.flatMap((call) => [...requiredRights(call), ...impliedRights(call)]),
    ...documentedRights(caller, world),
  ];
}

/** The rights among these that no statement allows. */
function refused(statements: readonly PolicyStatement[], rights: readonly RequiredRight[]): RequiredRight[] {
  return rights.filter((right) => allowingStatement(statements, right) === undefined);
}

test.each(CALLERS)('all that %s does is allowed by its own policies, and was enforced', (caller) => {
  expect(neededRights(caller).length).toBeGreaterThan(0);
  expect(refused(world.statementsOf(caller), neededRights(caller))).toEqual([]);
});

test.each(CALLERS)(
  'every action and every resource that %s is granted is needed: without it something is refused',
  (caller) => {
    const statements = world.statementsOf(caller);
    const needed = neededRights(caller);
    const idle = statements.flatMap((statement) =>
      mutantsOf(statement).flatMap(({ without, mutant }) => {
        const mutated = statements.flatMap((other) => (other === statement ? mutant : [other]));
        return refused(mutated, needed).length > 0 ? [] : [`${caller} ${statement.Sid} without ${without}`];
      }),
    );
    expect(idle).toEqual([]);
  },
);

/** A statement less one of its actions, or one of its resources; nothing is left of one that has no other. */
function mutantsOf(statement: PolicyStatement): { without: string; mutant: PolicyStatement[] }[] {
  return (['Action', 'Resource'] as const).flatMap((key) => {
    const entries = [statement[key]].flat();
    return entries.map((without) => {
      const rest = entries.filter((entry) => entry !== without);
      return { without, mutant: rest.length === 0 ? [] : [{ ...statement, [key]: rest }] };
    });
  });
}
