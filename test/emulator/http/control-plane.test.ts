import {
  CreateModelInvocationJobCommand,
  GetModelInvocationJobCommand,
  ListModelInvocationJobsCommand,
  type ListModelInvocationJobsCommandInput,
  ListTagsForResourceCommand,
  StopModelInvocationJobCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-bedrock';
import { expect, test } from 'vitest';
import { type Bench, CLAUDE, INPUT, NOVA, novaRecords, openBench, ROLE_ARN } from '../emulator-bench.ts';

/** A raw create call, past the checks of the SDK. */
async function rawCreate({ emulator }: Bench, body: object) {
  const response = await fetch(`${emulator.url}/model-invocation-job`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { message?: string; jobArn?: string };
  return { status: response.status, errorType: response.headers.get('x-amzn-errortype'), ...answer };
}

const VALID = {
  jobName: 'job-1',
  roleArn: ROLE_ARN,
  modelId: NOVA,
  inputDataConfig: { s3InputDataConfig: { s3Uri: INPUT } },
  outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out/' } },
};

test.each([
  ['an underscore in the job name', { jobName: 'a_b' }, 'jobName'],
  ['a job name that begins with a hyphen', { jobName: '-a' }, 'jobName'],
  ['a job name of 64 characters', { jobName: 'a'.repeat(64) }, 'less than or equal to 63'],
  ['a job name full of hyphens', { jobName: `a${'-'.repeat(60)}_` }, 'regular expression'],
  ['a missing role', { roleArn: undefined }, "Value null at 'roleArn'"],
  ['a role that is a user', { roleArn: 'arn:aws:iam::123456789012:user/a' }, 'roleArn'],
  ['a third version segment behind a profile prefix', { modelId: 'us.deepseek.v3.2' }, 'modelId'],
  ['a token with an underscore', { clientRequestToken: 'a_b' }, 'clientRequestToken'],
  ['a token that ends in a hyphen', { clientRequestToken: 'a-' }, 'clientRequestToken'],
  ['a timeout under 24 hours', { timeoutDurationInHours: 23 }, 'greater than or equal to 24'],
  ['a timeout over 168 hours', { timeoutDurationInHours: 169 }, 'less than or equal to 168'],
  [
    'an input that leaves its bucket',
    { inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://data-bucket/../other-bucket/a.jsonl' } } },
    'inputDataConfig.s3InputDataConfig.s3Uri',
  ],
  [
    'an output that leaves its bucket',
    { outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/a/../..' } } },
    'outputDataConfig.s3OutputDataConfig.s3Uri',
  ],
  [
    'a Hive-style prefix',
    { inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://bucket/dt=1/' } } },
    's3Uri',
  ],
  [
    'an input format that is not JSONL',
    { inputDataConfig: { s3InputDataConfig: { s3Uri: INPUT, s3InputFormat: 'CSV' } } },
    '[JSONL]',
  ],
  ['an input without its member', { inputDataConfig: {} }, 's3InputDataConfig'],
  ['no output', { outputDataConfig: undefined }, 'outputDataConfig'],
  [
    'a KMS key that is none',
    { outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://bucket/', s3EncryptionKeyId: 'x' } } },
    's3EncryptionKeyId',
  ],
  ['an unknown invocation type', { modelInvocationType: 'Chat' }, '[InvokeModel, Converse]'],
  [
    'a VPC without subnets',
    { vpcConfig: { subnetIds: [], securityGroupIds: ['sg-1'] } },
    'vpcConfig.subnetIds',
  ],
  ['a tag with a forbidden character', { tags: [{ key: 'a', value: '!' }] }, 'tags.1.member.value'],
  [
    'a tag key twice',
    {
      tags: [
        { key: 'a', value: '1' },
        { key: 'a', value: '2' },
      ],
    },
    'Duplicate tag keys',
  ],
  ['a number for a name', { jobName: 5 }, 'jobName'],
  ['a text for tags', { tags: 'a' }, 'tags'],
  ['a fraction for hours', { timeoutDurationInHours: 24.5 }, 'timeoutDurationInHours'],
])('create refuses %s', async (_, change, message) => {
  await using bench = await openBench();
  const answer = await rawCreate(bench, { ...VALID, ...change });
  expect(answer).toMatchObject({ status: 400, errorType: 'ValidationException' });
  expect(answer.message).toContain(message);
});

test('create tells all that is wrong at once', async () => {
  await using bench = await openBench();
  const { message } = await rawCreate(bench, { ...VALID, jobName: 'a_b', timeoutDurationInHours: 1 });
  expect(message).toMatch(/^2 validation errors detected: Value 'a_b' at 'jobName' failed/);
});

test.each([
  'anthropic.claude-opus-4-7-v1:0',
  'us.anthropic.claude-sonnet-5',
  'cohere.embed-english-v3',
  // Offered through profiles alone, and this is the bare id.
  'meta.llama4-scout-17b-instruct-v1:0',
  'anthropic.claude-haiku-4-5-20251001-v1:0',
  'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-2-lite-v1:0',
])('create refuses %s, which does not support batch', async (modelId) => {
  await using bench = await openBench();
  expect(await rawCreate(bench, { ...VALID, modelId })).toMatchObject({
    status: 400,
    errorType: 'ValidationException',
    message: 'Batch inference is not supported for the requested model.',
  });
});

test('create refuses a model that nobody knows, and a body that is no JSON object', async () => {
  await using bench = await openBench();
  expect((await rawCreate(bench, { ...VALID, modelId: 'acme.model-v1' })).message).toBe(
    'The provided model identifier is invalid.',
  );
  const response = await fetch(`${bench.emulator.url}/model-invocation-job`, { method: 'POST', body: '[' });
  expect(response.status).toBe(400);
});

test.each([
  ['amazon.nova-micro-v1:0', 'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0'],
  [
    'global.anthropic.claude-haiku-4-5-20251001-v1:0',
    'arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-haiku-4-5-20251001-v1:0',
  ],
  ['deepseek.v3.2', 'arn:aws:bedrock:us-east-1::foundation-model/deepseek.v3.2'],
  [
    'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123',
    'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123',
  ],
  [
    'arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdefghijkl',
    'arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/abcdefghijkl',
  ],
])('a job made with %s gives its model back as an ARN', async (modelId, arn) => {
  await using bench = await openBench({ applicationProfiles: { abc123: 'amazon.nova-micro-v1:0' } });
  expect((await bench.get(await bench.create({ modelId }))).modelId).toBe(arn);
});

test('everything that a job was made with comes back', async () => {
  await using bench = await openBench();
  const given = {
    clientRequestToken: 'token-1',
    timeoutDurationInHours: 48,
    modelInvocationType: 'Converse' as const,
    vpcConfig: { subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'] },
  };
  const job = await bench.get(await bench.create({ ...given, jobName: 'a.b+c-1' }));
  expect(job).toMatchObject({ ...given, jobName: 'a.b+c-1', status: 'Submitted', roleArn: ROLE_ARN });
  expect(job.jobExpirationTime?.getTime()).toBe((job.submitTime?.getTime() ?? 0) + 48 * 3_600_000);
  expect(job.totalRecordCount).toBeUndefined();
});

test('the same client request token gives the first job, also when that has ended', async () => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(100));
  const first = await bench.create({ clientRequestToken: 'token' });
  expect(await bench.create({ clientRequestToken: 'token', jobName: 'other' })).toBe(first);
  await bench.end(first);
  expect(await bench.create({ clientRequestToken: 'token' })).toBe(first);
  expect((await bench.emulator.usage()).totals).toMatchObject({ jobs: 1, answered: 100 });
});

test('a name that is in use is a conflict with status 400', async () => {
  await using bench = await openBench();
  await bench.create({ clientRequestToken: 'token1' });
  await expect(bench.create({ clientRequestToken: 'token2' })).rejects.toMatchObject({
    name: 'ConflictException',
    message: 'The provided job name is currently in use.',
    $metadata: { httpStatusCode: 400 },
  });
});

test.each([
  ['reject-quota', 'ServiceQuotaExceededException', 400],
  ['reject-throttle', 'ThrottlingException', 429],
] as const)('over the quota of jobs, %s answers with %s', async (overQuota, name, httpStatusCode) => {
  await using bench = await openBench({ overQuota, quotas: { default: { maxConcurrentJobs: 2 } } });
  await bench.store.write(INPUT, novaRecords(100));
  const first = await bench.create({ jobName: 'a' });
  await bench.create({ jobName: 'b', modelId: 'amazon.nova-micro-v1:0' });
  await expect(bench.create({ jobName: 'c' })).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  await bench.create({ jobName: 'd', modelId: CLAUDE });
  await bench.end(first);
  await bench.clock.sleep(60_000);
  await bench.create({ jobName: 'c' });
});

test('in the mode queue, jobs wait their turn in Scheduled', async () => {
  await using bench = await openBench({
    overQuota: 'queue',
    quotas: { models: { 'amazon.nova-micro-v1:0': { maxConcurrentJobs: 1 } } },
    durations: { inProgressMs: 3_600_000 },
  });
  await bench.store.write(INPUT, novaRecords(100));
  const arns: string[] = [];
  for (const jobName of ['a', 'b', 'c']) arns.push(await bench.create({ jobName }));
  await bench.clock.sleep(60_000);
  const statuses = async () => Promise.all(arns.map(async (arn) => (await bench.get(arn)).status));
  expect(await statuses()).toEqual(['InProgress', 'Scheduled', 'Scheduled']);
  await bench.clock.sleep(3_600_000);
  expect(await statuses()).toEqual(['Completed', 'InProgress', 'Scheduled']);
  await bench.end(arns[2] ?? '');
  expect(await statuses()).toEqual(['Completed', 'Completed', 'Completed']);
});

test('a job that waits in the queue past its timeout expires', async () => {
  await using bench = await openBench({
    overQuota: 'queue',
    quotas: { default: { maxConcurrentJobs: 1 } },
    durations: { inProgressMs: 20 * 3_600_000 },
  });
  await bench.store.write(INPUT, novaRecords(100));
  const arns: string[] = [];
  for (const jobName of ['a', 'b', 'c']) arns.push(await bench.create({ jobName }));
  const jobs = [];
  for (const arn of arns) jobs.push(await bench.end(arn));
  expect(jobs.map(({ status }) => status)).toEqual(['Completed', 'PartiallyCompleted', 'Expired']);
  expect(jobs[1]?.processedRecordCount).toBe(19);
  expect(jobs[2]?.endTime).toEqual(jobs[2]?.jobExpirationTime);
});

test('a job is found by id or by encoded ARN, never by name', async () => {
  await using bench = await openBench();
  const jobArn = await bench.create();
  expect((await bench.get(jobArn.slice(-12))).jobArn).toBe(jobArn);
  expect((await bench.get(jobArn)).jobArn).toBe(jobArn);
  await expect(bench.get('job-1')).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(bench.get('abcdefghijkl')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    $metadata: { httpStatusCode: 404 },
  });
  await expect(bench.get(jobArn.replace('123456789012', '999999999999'))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  const mangled = await fetch(`${bench.emulator.url}/model-invocation-job/${jobArn}`);
  expect(mangled.status).toBe(404);
});

test('a list is filtered by status, name and time', async () => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(100));
  const startMs = bench.clock.now();
  await bench.end(await bench.create({ jobName: 'early' }));
  await bench.clock.sleep(3_600_000);
  await bench.create({ jobName: 'late' });
  const names = async (input: ListModelInvocationJobsCommandInput) => {
    const page = await bench.clock.busy(() => bench.bedrock.send(new ListModelInvocationJobsCommand(input)));
    return page.invocationJobSummaries?.map(({ jobName }) => jobName);
  };
  expect(await names({})).toEqual(['late', 'early']);
  expect(await names({ statusEquals: 'Completed' })).toEqual(['early']);
  expect(await names({ submitTimeAfter: new Date(startMs + 1_800_000) })).toEqual(['late']);
  expect(await names({ submitTimeBefore: new Date(startMs + 1_800_000) })).toEqual(['early']);
  expect(await names({ nameContains: 'at', sortBy: 'CreationTime' })).toEqual(['late']);
  await expect(names({ maxResults: 1001 })).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(names({ nextToken: 'nonsense' })).rejects.toMatchObject({ name: 'ValidationException' });
  const badTime = await fetch(
    `${bench.emulator.url}/model-invocation-jobs?submitTimeAfter=yesterday&maxResults=x`,
  );
  expect(badTime.status).toBe(400);
});

test('stop is repeated without harm, and refused once the job has ended', async () => {
  await using bench = await openBench();
  const jobArn = await bench.create();
  const stop = () =>
    bench.clock.busy(() => bench.bedrock.send(new StopModelInvocationJobCommand({ jobIdentifier: jobArn })));
  await bench.clock.busy(async () => {
    await stop();
    await stop();
  });
  const job = await bench.end(jobArn);
  expect([job.status, job.processedRecordCount]).toEqual(['Stopped', undefined]);
  await expect(stop()).rejects.toMatchObject({
    name: 'ConflictException',
    $metadata: { httpStatusCode: 400 },
  });
});

test('tags are kept, replaced and removed', async () => {
  await using bench = await openBench();
  const resourceARN = await bench.create({ tags: [{ key: 'team', value: 'a' }] });
  await bench.bedrock.send(
    new TagResourceCommand({
      resourceARN,
      tags: [
        { key: 'team', value: 'b' },
        { key: 'run', value: 'r 1' },
      ],
    }),
  );
  const list = async () => (await bench.bedrock.send(new ListTagsForResourceCommand({ resourceARN }))).tags;
  expect(await list()).toEqual([
    { key: 'team', value: 'b' },
    { key: 'run', value: 'r 1' },
  ]);
  await bench.bedrock.send(new UntagResourceCommand({ resourceARN, tagKeys: ['team'] }));
  expect(await list()).toEqual([{ key: 'run', value: 'r 1' }]);
  const tags = Array.from({ length: 200 }, (_, index) => ({ key: `k${index}`, value: '' }));
  await expect(bench.bedrock.send(new TagResourceCommand({ resourceARN, tags }))).rejects.toMatchObject({
    name: 'TooManyTagsException',
  });
  await expect(
    bench.bedrock.send(
      new ListTagsForResourceCommand({ resourceARN: 'arn:aws:bedrock:us-east-1:123456789012:guardrail/abc' }),
    ),
  ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test.each([
  ['tagResource', 'tags'],
  ['untagResource', 'tagKeys'],
])('%s is refused without %s', async (operation, member) => {
  await using bench = await openBench();
  const resourceARN = await bench.create();
  const response = await fetch(`${bench.emulator.url}/${operation}`, {
    method: 'POST',
    body: JSON.stringify({ resourceARN }),
  });
  expect([response.status, await response.json()]).toEqual([
    400,
    {
      message: `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
    },
  ]);
});

test('every answer has a request id, and an unknown path is an unknown operation', async () => {
  await using bench = await openBench();
  const response = await fetch(`${bench.emulator.url}/nothing?x=%zz`);
  expect(response.status).toBe(404);
  expect(response.headers.get('x-amzn-errortype')).toBe('UnknownOperationException');
  expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
  expect((await fetch(`${bench.emulator.url}/model-invocation-job/%zz`)).status).toBe(400);
  expect(await (await fetch(`${bench.emulator.url}/_emulator`)).json()).toMatchObject({ simulated: true });
  expect(await (await fetch(`${bench.emulator.url}/_emulator/usage`)).json()).toMatchObject({
    totals: { jobs: 0 },
  });
});

test('a request without credentials that the SDK made is answered like any other', async () => {
  await using bench = await openBench();
  const { jobArn = '', status } = await rawCreate(bench, VALID);
  expect(status).toBe(200);
  const job = await bench.clock.busy(() =>
    bench.bedrock.send(new GetModelInvocationJobCommand({ jobIdentifier: jobArn })),
  );
  expect(job.modelInvocationType).toBe('InvokeModel');
  await expect(
    bench.clock.busy(() => bench.bedrock.send(new CreateModelInvocationJobCommand(VALID))),
  ).rejects.toMatchObject({ name: 'ConflictException' });
});
