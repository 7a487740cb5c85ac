import { expect, test, vi } from 'vitest';
import { Quarry } from '../../../src/quarry/quarry.ts';
import { rememberRun } from '../../../src/runs/known-runs.ts';
import { openEmulatedTarget, runRows } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('runs of every place are listed; one that does not answer is said, and hides no other', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:9');
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  expect(await runRows(200, emulated, { directory })).toMatchObject({ kind: 'finished' });
  const target = {
    ...{ kind: 'bedrock', bucket: 'their-bucket', bucket_owner: null, role_arn: null, region: 'us-east-1' },
    ...{ profile: null, poll_seconds: 1, records_per_job_quota: null },
  } as const;
  await rememberRun(directory, { run_id: 'far-1', target: { ...target, kind: 'bedrock' } });
  await rememberRun(directory, { run_id: 'far-2', target: { ...target, kind: 'bedrock' } });
  const { at, runs } = await new Quarry({ directory }).runs();
  expect(at).toBe('local');
  expect(runs).toMatchObject([
    { run_id: 'emulated', at: 'local', status: 'succeeded', rows: 200, answered: 200, billed: false },
    {
      ...{ run_id: 'far-1', at: 's3://their-bucket', status: null, rows: null, cost_usd: null },
      fault: expect.stringMatching(/^s3:\/\/their-bucket could not be asked for its runs\. ./),
    },
    { run_id: 'far-2', at: 's3://their-bucket', status: null },
  ]);
  vi.unstubAllEnvs();
});

test('a run that has not ended is listed with what it has so far', async () => {
  const directory = await temporaryDirectory();
  await using emulated = await openEmulatedTarget({ directory });
  const stop = new AbortController();
  const result = await runRows(400, emulated, {
    directory,
    keys: { max_records_per_job: 200 },
    signal: stop.signal,
    onProgress: ({ kind }) => kind === 'collected' && stop.abort(),
  });
  expect(result.kind).toBe('aborted');
  const { runs } = await new Quarry({ directory }).runs();
  expect(runs).toMatchObject([{ status: 'stopped', rows: 400, cost_usd: expect.any(Number), billed: false }]);
  expect(runs[0]?.answered).toBeGreaterThanOrEqual(200);
});
