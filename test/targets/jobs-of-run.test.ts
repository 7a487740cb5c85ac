import { expect, test } from 'vitest';
import { countOtherJobs } from '../../src/targets/jobs-of-run.ts';

const plan = {
  run_id: 'jokes',
  input_hash: 'abc',
  created_at: '2026-01-01T00:00:00.000Z',
  job_naming: 'place',
  variants: [
    { model: { model_id: 'us.amazon.nova-lite-v1:0', family: 'nova', invocation_type: 'InvokeModel' } },
  ],
} as unknown as Parameters<typeof countOtherJobs>[0];

/** Counts others' jobs among these, which are asked for as of a time. */
async function count(listed: readonly object[]) {
  const asked: unknown[] = [];
  const jobs = {
    async *listJobs(options: unknown) {
      asked.push(options);
      yield* listed;
    },
  } as unknown as Parameters<typeof countOtherJobs>[1]['jobs'];
  const others = await countOtherJobs(plan, { jobs, bucket: 'mine', nowMs: Date.UTC(2026, 0, 10) });
  return { others, asked };
}

test('jobs of the same model that are under way hold slots, by whatever id they ask it; ended ones and other models do not', async () => {
  const job = { jobName: 'somebody-else', status: 'InProgress', modelId: 'amazon.nova-lite-v1:0' };
  const arn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0';
  const { others, asked } = await count([
    job,
    { ...job, status: 'Scheduled', modelId: arn },
    { ...job, status: 'Completed' },
    { ...job, modelId: 'amazon.nova-pro-v1:0' },
    { ...job, modelId: 'no model at all' },
  ]);
  expect(others).toBe(2);
  expect(asked).toEqual([{ submittedAfter: new Date(Date.UTC(2026, 0, 2)) }]);
});
