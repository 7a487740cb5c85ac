import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { BUCKET, openBedrockWorld, ROLE } from '../../support/bedrock-world.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { readStored } from '../../support/stored-document.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';

/** A summary without what differs from place to place: times, buckets, ETags, names, and who answered. */
function comparable(json: string): unknown {
  const {
    started_at: _s,
    ended_at: _e,
    input_hash: _h,
    input: _i,
    simulated: _,
    output_paths: _p,
    billed: _b,
    ...same
  } = JSON.parse(json);
  const files = same.dataset_files.map(({ bytes }: { bytes: number }) => bytes);
  return JSON.parse(
    JSON.stringify({ ...same, dataset_files: files }).replaceAll(
      /s3:\/\/(my-bucket|quarry-local)/g,
      's3://B',
    ),
  );
}

async function resultRows(run: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { out } = await runQuarry('results', run, '--format', 'jsonl', ...args);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('a run on real S3 and Bedrock goes to its end, as the local one does, and is found again by its name alone', async () => {
  const { dir, flags, s3, emulator, writeRows } = await openBedrockWorld();
  const file = await writeRows(350);
  const sizes = ['--max-records-per-job', '120', '--run-id', 'mine'];
  const { status, out, err } = await runQuarry('run', file, ...flags, ...sizes, '--json');
  expect(status, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'succeeded', rows: { total: 350, succeeded: 350 } });
  expect(JSON.parse(out).output_paths[0]).toBe(`s3://${BUCKET}/runs/mine/output/p00001.parquet`);
  expect(err).toMatch(/Z Uploaded rows\.csv: /m);
  // The price is there before anything is sent.
  expect(err).toMatch(/Plan: run mine, 350 rows in 3 parts, about \$\d[\s\S]*Wave 1/);

  const local = await runQuarry(
    ...['run', file, ...sizes, '--model-id', MODEL, '--prompt-template', 'Say {n}'],
    ...['--dir', join(dir, 'local'), '--json'],
  );
  expect(comparable(out)).toEqual(comparable(local.out));

  const keys = [...s3.objects.keys()];
  expect(keys.filter((key) => key.startsWith(`${BUCKET}/datasets/`))).toHaveLength(1);
  expect(keys.every((key) => /^my-bucket\/(?:datasets|locks|runs|working)\//.test(key))).toBe(true);
  for (const { headers } of s3.requests.filter(({ method }) => method === 'PUT')) {
    expect(headers['x-amz-expected-bucket-owner'] ?? '111122223333').toBe('111122223333');
  }

  const remembered = await readStored(join(dir, 'known-runs', 'mine.json'));
  expect(remembered).toEqual({
    run_id: 'mine',
    target: {
      kind: 'bedrock',
      bucket: BUCKET,
      bucket_owner: '111122223333',
      role_arn: ROLE,
      region: 'us-west-2',
      profile: null,
      poll_seconds: 1,
      records_per_job_quota: null,
    },
    remembered_at: expect.any(String),
  });
  expect((await runQuarry('status', 'mine', '--dir', dir)).out).toMatch(/answered +350/);
  const rows = await resultRows('mine', '--dir', dir);
  expect(rows.map(({ response }) => response)).toEqual(
    Array.from({ length: 350 }, (_, index) => simulatedAnswer(MODEL, `Say ${index}`)),
  );
  // The target is not named: the place that is remembered is asked.
  expect(JSON.parse((await runQuarry('runs', '--dir', dir, '--json')).out)).toMatchObject([
    {
      ...{ run_id: 'mine', at: `s3://${BUCKET}`, status: 'succeeded', rows: 350, answered: 350 },
      ...{ billed: true, cost_usd: expect.any(Number), model: MODEL },
    },
  ]);
  expect((await runQuarry('runs', '--dir', dir)).out).toMatch(/mine[\s\S]*succeeded[\s\S]*\$0\.\d+/);
  const watched = await runQuarry('watch', 'mine', '--dir', dir, '--json');
  expect(JSON.parse(watched.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    event: 'end',
    status: 'succeeded',
    usd: { billed: true },
  });
  const itself = await runQuarry('diff', 'mine', 'mine', '--dir', dir, '--json');
  expect(JSON.parse(itself.out)).toMatchObject({
    diff: { is_empty: true, in_both: 350, a: { billed: true } },
  });
  const jobs = await runQuarry('jobs', '--target', 'bedrock', '--bucket', BUCKET, '--dir', dir, '--json');
  expect(JSON.parse(jobs.out)).toHaveLength(3);

  // The same again finds the dataset and the run, and pays nothing.
  const puts = () =>
    s3.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/datasets/'));
  const before = puts().length;
  expect((await runQuarry('run', file, ...flags, ...sizes)).status).toBe(0);
  expect(puts()).toHaveLength(before);
  expect((await emulator.usage()).totals).toMatchObject({ jobs: 3, answered: 350 });

  // Nothing of it has failed: the whole table comes of what was paid for.
  const rerun = await runQuarry('rerun', 'mine', '--failed', '--run-id', 'again', '--dir', dir, '--json');
  expect(JSON.parse(rerun.out)).toMatchObject({
    rows: { total: 350, succeeded: 350, reused: 350 },
    cost_usd: 0,
  });
  expect((await emulator.usage()).totals).toMatchObject({ jobs: 3, answered: 350 });
}, 120_000);

test('a plan uploads a local dataset, says where it is, and sends nothing else', async () => {
  const { dir, flags, s3, proxy, writeRows } = await openBedrockWorld();
  const { status, out, err } = await runQuarry('plan', await writeRows(350), ...flags);
  expect(status, err).toBe(0);
  expect(out).toMatch(
    /The dataset is in s3:\/\/my-bucket\/datasets\/[0-9a-f]{16}\/rows\.csv now; nothing else was sent, and nothing was paid\./,
  );
  expect(out).toMatch(/cost +about \$/);
  expect([...s3.objects.keys()]).toHaveLength(1);
  // It looks who else holds slots, and creates nothing.
  expect(proxy.requests).toEqual(['GET /model-invocation-jobs']);
  expect(out).toMatch(/Slots: no other job of this model holds one of the \d+ now\./);
  const again = await runQuarry('plan', `s3://${[...s3.objects.keys()][0]}`, ...flags, '--dir', dir);
  expect(again.out).toContain('Nothing was sent and nothing was paid.');
});

test('credentials and region are those of the profile that is named, then and afterwards', async () => {
  const { dir, flags, s3, env, writeRows } = await openBedrockWorld();
  for (const name of ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
    vi.stubEnv(name, undefined);
  await writeFile(String(env.AWS_CONFIG_FILE), '[profile dev]\nregion = eu-north-1\n');
  await writeFile(
    String(env.AWS_SHARED_CREDENTIALS_FILE),
    '[dev]\naws_access_key_id = DEVKEY\naws_secret_access_key = x\n',
  );
  const { status, err } = await runQuarry(
    ...[
      'run',
      await writeRows(3),
      ...flags,
      '--profile',
      'dev',
      '--run-id',
      'mine',
      '--model-id',
      'eu.amazon.nova-lite-v1:0',
    ],
  );
  expect(status, err).toBe(0);
  const known = await readStored(join(dir, 'known-runs', 'mine.json'));
  expect(known.target).toMatchObject({ profile: 'dev', region: 'eu-north-1' });
  s3.requests.length = 0;
  expect((await runQuarry('status', 'mine', '--dir', dir)).out).toMatch(/answered +3/);
  expect(s3.requests[0]?.headers.authorization).toMatch(/Credential=DEVKEY\/\d+\/eu-north-1\/s3/);
});

test('a name that is known at two places means the last one, and the other is told', async () => {
  const { dir, flags, writeRows } = await openBedrockWorld();
  const file = await writeRows(3);
  const ask = ['--model-id', MODEL, '--prompt-template', 'Say {n}', '--run-id', 'mine', '--dir', dir];
  expect((await runQuarry('run', file, ...ask)).status).toBe(0);
  const { err } = await runQuarry('run', file, ...flags, '--run-id', 'mine');
  expect(err).toContain('Another run mine is at local. From now on mine means this one; name the other with');
  expect((await runQuarry('status', 'mine', '--dir', dir)).out).toContain(`s3://${BUCKET}/runs/mine/`);
  const local = await runQuarry('status', 'mine', '--dir', dir, '--target', 'local');
  expect(local.out).toContain(join('quarry-local', 'runs', 'mine'));
  await writeFile(join(dir, 'known-runs', 'mine.json'), '{"run_id": "mine"}');
  const unreadable = await runQuarry('status', 'mine', '--dir', dir);
  expect(unreadable.err).toMatch(
    /Error: .*mine\.json is damaged: it should be the word of where a run lives, .*Delete it/,
  );
});

test('rows below a job’s minimum are run on demand by the runtime client', async () => {
  const { dir, flags, writeRows, emulator } = await openBedrockWorld();
  const { status, out, err } = await runQuarry('run', await writeRows(7), ...flags, '--json');
  expect(status, err).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ on_demand_records: 7, jobs: 0, status: 'succeeded' });
  expect((await emulator.usage()).totals).toMatchObject({ jobs: 0 });
  const [known] = await readdir(join(dir, 'known-runs'));
  expect((await runQuarry('results', String(known).replace('.json', ''), '--dir', dir)).out).toContain(
    '[simulated',
  );
});
