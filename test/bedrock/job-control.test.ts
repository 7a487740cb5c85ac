import { expect, test } from 'vitest';
import { createJobControl } from '../../src/bedrock/job-control.ts';
import { systemClock } from '../../src/core/clock.ts';
import { BedrockThrottledError, ObjectNotFoundError } from '../../src/core/errors.ts';
import { openEmulatedBedrock } from './emulated-bedrock.ts';

/** Jobs that stay submitted, in an emulator of their own. */
async function openJobs(names: string[]) {
  const { bedrock, control } = await openEmulatedBedrock({
    clock: systemClock,
    durations: { submittedMs: 3_600_000, stoppingMs: 0 },
    faults: [{ when: { jobName: 'throttled' }, fault: { kind: 'stop-throttled' } }],
  });
  const arns: string[] = [];
  for (const name of names) {
    const result = await bedrock.createJob({
      jobName: name,
      clientRequestToken: name,
      modelId: 'us.amazon.nova-lite-v1:0',
      roleArn: 'arn:aws:iam::123456789012:role/quarry',
      modelInvocationType: 'InvokeModel',
      inputUri: 's3://bucket/in/records.jsonl',
      outputUri: `s3://bucket/out/${name}`,
      tags: [{ key: 'quarry:run', value: `run of ${name}` }],
    });
    if (result.kind === 'created') arns.push(result.jobArn);
  }
  return { jobs: createJobControl(control), bedrock, arns };
}

test('jobs are listed from the newest on, by name too, with their tags to be read', async () => {
  const { jobs, arns } = await openJobs(['one', 'two']);
  const listed = await Array.fromAsync(jobs.listJobs());
  expect(listed.map(({ jobArn }) => jobArn)).toEqual(arns.toReversed());
  expect(listed[0]).toMatchObject({ jobName: 'two', status: 'Submitted', outputUri: 's3://bucket/out/two/' });
  const named = await Array.fromAsync(jobs.listJobs({ nameContains: 'on' }));
  expect(named.map(({ jobName }) => jobName)).toEqual(['one']);
  expect(await Array.fromAsync(jobs.listJobs({ submittedAfter: new Date(Date.now() + 60_000) }))).toEqual([]);
  expect(await jobs.tagsOf(arns[0] ?? '')).toEqual(new Map([['quarry:run', 'run of one']]));
});

test('a job is stopped once, and one that has ended is left as it is', async () => {
  const { jobs, bedrock, arns } = await openJobs(['one']);
  const [arn = ''] = arns;
  await jobs.stopJob(arn);
  await expect.poll(async () => (await bedrock.getJob(arn)).status).toBe('Stopped');
  await jobs.stopJob(arn);
  expect((await bedrock.getJob(arn)).status).toBe('Stopped');
});

test('a stop that is throttled, and a job that is not there, are named errors', async () => {
  const { jobs, arns } = await openJobs(['throttled']);
  const [arn = ''] = arns;
  await expect(jobs.stopJob(arn)).rejects.toThrow(BedrockThrottledError);
  const missing = arn.replace(/.{12}$/, 'aaaaaaaaaaaa');
  await expect(jobs.stopJob(missing)).rejects.toThrow(ObjectNotFoundError);
  await expect(jobs.tagsOf(missing)).rejects.toThrow(ObjectNotFoundError);
});
