import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { BUCKET, openBedrockWorld, ROLE } from '../support/bedrock-world.ts';
import { runQuarry } from '../support/run-quarry.ts';

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
  expect(err).toMatch(/^Uploaded rows\.csv: /m);
  // The price is there before anything is sent.
  expect(err).toMatch(/Plan: run mine, 350 rows in 3 parts, at most \$\d[\s\S]*Wave 1/);

  const local = await runQuarry(
    ...['run', file, ...sizes, '--model-id', MODEL, '--prompt-template', 'Say {n}'],
    ...['--dir', join(dir, 'local'), '--json'],
  );
  expect(comparable(out)).toEqual(comparable(local.out));

  const keys = [...s3.objects.keys()];
  expect(keys.filter((key) => key.startsWith(`${BUCKET}/datasets/`))).toHaveLength(1);
  expect(keys.every((key) => /^my-bucket\/(?:datasets|runs|work)\//.test(key))).toBe(true);
  for (const { headers } of s3.requests.filter(({ method }) => method === 'PUT')) {
    expect(headers['x-amz-expected-bucket-owner'] ?? '111122223333').toBe('111122223333');
  }

  const remembered = JSON.parse(await readFile(join(dir, 'known-runs', 'mine.json'), 'utf8'));
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
    },
  });
  expect((await runQuarry('status', 'mine', '--dir', dir)).out).toMatch(/answered +350/);
  const rows = await resultRows('mine', '--dir', dir);
  expect(rows.map(({ response }) => response)).toEqual(
    Array.from({ length: 350 }, (_, index) => simulatedAnswer(MODEL, `Say ${index}`)),
  );
  expect((await runQuarry('runs', '--dir', dir)).out).toContain(`s3://${BUCKET}`);
  const jobs = await runQuarry('jobs', '--target', 'bedrock', '--bucket', BUCKET, '--dir', dir, '--json');
  expect(JSON.parse(jobs.out)).toHaveLength(3);

  // The same again finds the dataset and the run, and pays nothing.
  const puts = () =>
    s3.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/datasets/'));
  const before = puts().length;
  expect((await runQuarry('run', file, ...flags, ...sizes)).status).toBe(0);
  expect(puts()).toHaveLength(before);
  expect((await emulator.usage()).totals).toMatchObject({ jobs: 3, answered: 350 });
}, 120_000);

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
