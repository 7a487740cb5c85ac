import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startEmulator } from '../../src/emulator/server.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { startQuarry } from '../support/quarry-process.ts';
import { runQuarry } from '../support/run-quarry.ts';
import { documentedRights, impliedRights } from './documented-rights.ts';
import { allowingStatement, type PolicyStatement } from './iam-policy.ts';
import { CREDENTIALS, MOTO_ACCOUNT, REGION, startMoto } from './moto.ts';
import { type RecordedCall, startRecordingProxy } from './recording-proxy.ts';
import { requiredRights } from './required-rights.ts';
import { EMULATOR, ROWS } from './world.ts';

const BUCKET = 'data-bucket';
const ROLE_ARN = `arn:aws:iam::${MOTO_ACCOUNT}:role/batch`;
const ASK = [
  ...['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ...['--prompt-template', 'Tell a joke about {topic}.', '--run-id', 'mine'],
  ...['--max-records-per-job', '110', '--max-attempts', '2'],
];
const AT_AWS = [
  ...['--target', 'bedrock', '--bucket', BUCKET, '--poll-seconds', '1'],
  ...['--role-arn', ROLE_ARN],
];

const calls: RecordedCall[] = [];
const cleanUp = new AsyncDisposableStack();
let directory: string;
let client: S3Client;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quarry-bedrock-'));
  cleanUp.defer(() => rm(directory, { recursive: true, force: true }));
  const moto = cleanUp.use(await startMoto());
  client = createS3Client({ endpoint: moto.url, region: REGION, credentials: CREDENTIALS });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const bedrockS3 = cleanUp.use(await startRecordingProxy({ caller: 'role', route: () => moto.url, calls }));
  const emulator = await startEmulator({
    ...EMULATOR,
    applicationProfiles: { a1b2c3d4e5f6: 'amazon.nova-lite-v1:0' },
    faults: [
      ...(Array.isArray(EMULATOR.faults) ? EMULATOR.faults : []),
      {
        // Still at work when it is cancelled, however slow this machine is.
        when: { tag: { key: 'quarry:run', value: 'cancelled' } },
        fault: { kind: 'slow-stage', stage: 'InProgress', extraMs: 3_600_000 },
      },
    ],
    store: createS3Store({
      client: createS3Client({ endpoint: bedrockS3.url, region: REGION, credentials: CREDENTIALS }),
      scratchDirectory: join(directory, 'bedrock'),
    }),
    stateDirectory: join(directory, 'emulator'),
  });
  cleanUp.defer(() => emulator.close());
  for (const [variable, url] of [
    ['AWS_ENDPOINT_URL_S3', moto.url],
    ['AWS_ENDPOINT_URL_BEDROCK', emulator.url],
    ['AWS_ENDPOINT_URL_BEDROCK_RUNTIME', emulator.url],
  ] as const) {
    const proxy = cleanUp.use(await startRecordingProxy({ caller: 'user', route: () => url, calls }));
    vi.stubEnv(variable, proxy.url);
  }
  // moto has no quotas of Bedrock: this account raised none.
  const quotas = cleanUp.use(
    await startRecordingProxy({
      caller: 'user',
      route: () => async () => ({ status: 200, headers: {}, body: '{"Quotas":[]}' }),
      calls,
    }),
  );
  vi.stubEnv('AWS_ENDPOINT_URL_SERVICE_QUOTAS', quotas.url);
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
  cleanUp.defer(() => void vi.unstubAllEnvs());
  file = join(directory, 'topics.csv');
  const rows = Array.from({ length: ROWS }, (_, row) => `${row},topic ${row}\n`);
  await writeFile(file, `id,topic\n${rows.join('')}`);
});

afterAll(() => cleanUp.disposeAsync());

/** The same on the local target: an emulator of the same seed and faults. */
async function runOnLocalTarget(): Promise<{ summary: string; rows: string }> {
  const dir = join(directory, 'local');
  await mkdir(dir);
  const emulator = await startEmulator({
    ...EMULATOR,
    store: createDirectoryStore(dir),
    stateDirectory: join(dir, '.emulator'),
  });
  try {
    const at = ['--dir', dir, '--emulator', emulator.url];
    const { out } = await runQuarry('run', file, ...ASK, ...at, '--json');
    const { out: rows } = await runQuarry('results', 'mine', '--dir', dir, '--format', 'jsonl');
    return { summary: out, rows };
  } finally {
    await emulator.close();
  }
}

/** A summary without what differs from place to place: times, buckets, ETags, and who answered. */
function comparable(json: string): unknown {
  const { started_at, ended_at, input_hash, input, simulated, billed, output_paths, dataset_files, ...same } =
    JSON.parse(json);
  expect([started_at, ended_at, input_hash, input, simulated, billed, output_paths]).not.toContain(undefined);
  const bytes = dataset_files.map((dataset: { bytes: number }) => dataset.bytes);
  return JSON.parse(JSON.stringify({ ...same, bytes }).replaceAll(/s3:\/\/[a-z-]+\//g, 's3://B/'));
}

test('a run on an independent S3, killed on its way and resumed, ends with the local target’s summary and rows', async () => {
  const dir = join(directory, 'store');
  const run = startQuarry('run', file, ...ASK, ...AT_AWS, '--dir', dir);
  await run.printed('Wave 1');
  run.signal('SIGKILL');
  await run.ended;
  const resumed = await runQuarry('resume', 'mine', '--dir', dir, '--json');
  expect(resumed.status, resumed.err).toBe(2);
  const { out: rows } = await runQuarry('results', 'mine', '--dir', dir, '--format', 'jsonl');
  const local = await runOnLocalTarget();
  expect(comparable(resumed.out)).toEqual(comparable(local.summary));
  expect(rows).toBe(local.rows);
  expect(rows.trimEnd().split('\n')).toHaveLength(ROWS);
  const folder = join(directory, 'results');
  const downloaded = await runQuarry('results', 'mine', '--dir', dir, '--download', folder);
  expect(downloaded.out).toBe(`${JSON.parse(resumed.out).output_uris.length} Parquet files in ${folder}\n`);
});

test('jobs are listed, a run is cancelled by another process, and a small one is run on demand', async () => {
  const dir = join(directory, 'others');
  const at = [...AT_AWS, '--dir', dir];
  const small = await runQuarry('run', file, ...ASK, ...at, '--run-id', 'small', '--max-records', '5');
  expect(small.status, small.err).toBe(0);
  const run = startQuarry('run', file, ...ASK, ...at, '--run-id', 'cancelled', '--no-pilot');
  await run.printed('Wave 1');
  await vi.waitUntil(async () => {
    const { out } = await runQuarry('jobs', '--json', ...at);
    return JSON.parse(out).some(({ run_id }: { run_id: string }) => run_id === 'cancelled');
  }, 60_000);
  const cancelled = await runQuarry('cancel', 'cancelled', '--dir', dir, '--json');
  expect(JSON.parse(cancelled.out)).toMatchObject({ status: 'cancelled', rows: { total: ROWS } });
  await run.ended;
  expect((await runQuarry('adopt', 'cancelled', '--dir', dir)).out).toBe('Every job is known to its run.\n');
  expect((await runQuarry('runs', '--json', ...at)).out).toContain('"run_id": "small"');
});

test('a plan asks what an application inference profile is of', async () => {
  const profile = `arn:aws:bedrock:${REGION}:${MOTO_ACCOUNT}:application-inference-profile/a1b2c3d4e5f6`;
  const { status, out, err } = await runQuarry(
    ...['plan', file, ...ASK, ...AT_AWS, '--model-id', profile, '--run-id', 'profiled', '--json'],
    ...['--dir', join(directory, 'plan')],
  );
  expect(status, err).toBe(0);
  // It has the price of that model.
  expect(JSON.parse(out).estimate.input_usd).toBeGreaterThan(0);
});

/** The policies of the page, filled in. */
function documentedPolicies(): { role: PolicyStatement[]; user: PolicyStatement[] } {
  const page = readFileSync(new URL('../../docs/aws.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('## Without a stack'), page.indexOf('## What is proven'));
  const [, role, user] = [...section.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => {
    const text = String(json)
      .replaceAll('ROLE_ARN', ROLE_ARN)
      .replaceAll('BUCKET', BUCKET)
      .replaceAll('ACCOUNT', MOTO_ACCOUNT)
      .replaceAll('REGION', REGION);
    return JSON.parse(text).Statement as PolicyStatement[];
  });
  return { role: role ?? [], user: user ?? [] };
}

/** What Bedrock does with the role depends on no stack. */
const NO_STACK = { resources: {}, resolve: (value: unknown) => value };

test.each(['role', 'user'] as const)(
  'every call of the %s is allowed by the documented policy, and each statement has a use',
  (caller) => {
    const statements = documentedPolicies()[caller];
    const own = calls.filter((call) => call.caller === caller);
    expect(own.length).toBeGreaterThan(0);
    const rights = [
      ...own.flatMap((call) => [...requiredRights(call), ...impliedRights(call)]),
      ...(caller === 'role' ? documentedRights('serviceRole', { ...NO_STACK, bucket: BUCKET }) : []),
    ];
    expect(rights.filter((right) => allowingStatement(statements, right) === undefined)).toEqual([]);
    const idle = statements
      .flatMap((statement) => [statement.Action].flat().map((Action) => ({ ...statement, Action })))
      .filter((statement) => !rights.some((right) => allowingStatement([statement], right) !== undefined))
      .map(({ Sid, Action }) => `${Sid} ${Action}`);
    expect(idle).toEqual([]);
  },
);

test('a bucket that an independent S3 does not have is named', async () => {
  const { status, err } = await runQuarry(
    ...['run', file, ...ASK, ...AT_AWS, '--bucket', 'no-such-bucket'],
    ...['--dir', join(directory, 'none')],
  );
  expect(status).toBe(1);
  expect(err).toMatch(/^Error: There is no bucket "no-such-bucket"[\s\S]*\(ObjectNotFoundError\)/);
});
