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
import { CREDENTIALS, MOTO_ACCOUNT, REGION, startMoto } from './moto.ts';
import { EMULATOR, ROWS } from './world.ts';

const BUCKET = 'data-bucket';
const ASK = [
  ...['--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ...['--prompt-template', 'Tell a joke about {topic}.', '--run-id', 'mine'],
  ...['--max-records-per-job', '110', '--max-attempts', '2'],
];
const AT_AWS = [
  ...['--target', 'bedrock', '--bucket', BUCKET, '--poll-seconds', '1'],
  ...['--role-arn', `arn:aws:iam::${MOTO_ACCOUNT}:role/batch`],
];

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
  const emulator = await startEmulator({
    ...EMULATOR,
    store: createS3Store({ client, scratchDirectory: join(directory, 'bedrock') }),
    stateDirectory: join(directory, 'emulator'),
  });
  cleanUp.defer(() => emulator.close());
  vi.stubEnv('AWS_ENDPOINT_URL_S3', moto.url);
  vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK', emulator.url);
  vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', emulator.url);
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
  const { started_at, ended_at, input_hash, input, simulated, output_paths, dataset_files, ...same } =
    JSON.parse(json);
  expect([started_at, ended_at, input_hash, input, simulated, output_paths]).not.toContain(undefined);
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

test('a bucket that an independent S3 does not have is named', async () => {
  const { status, err } = await runQuarry(
    ...['run', file, ...ASK, ...AT_AWS, '--bucket', 'no-such-bucket'],
    ...['--dir', join(directory, 'none')],
  );
  expect(status).toBe(1);
  expect(err).toMatch(/^ObjectNotFoundError: There is no bucket "no-such-bucket"/);
});
