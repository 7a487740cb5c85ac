import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createAwsBedrock, createBedrockClients } from '../../src/bedrock/aws-bedrock.ts';
import type { Bedrock, CreateJobRequest } from '../../src/bedrock/bedrock.ts';
import type { EmulatorOptions } from '../../src/emulator/server.ts';
import { openEmulatedBedrock } from './emulated-bedrock.ts';

/** What Node’s handler of the SDK tells of itself. */
interface NodeHttpHandler {
  httpHandlerConfigs(): { requestTimeout?: number };
}

async function openBedrock(options: Partial<EmulatorOptions> = {}): Promise<Bedrock> {
  return (await openEmulatedBedrock(options)).bedrock;
}

const request: CreateJobRequest = {
  jobName: 'jokes-p00001',
  clientRequestToken: 'abc123',
  modelId: 'us.amazon.nova-lite-v1:0',
  roleArn: 'arn:aws:iam::123456789012:role/quarry',
  modelInvocationType: 'InvokeModel',
  inputUri: 's3://bucket/in/records.jsonl',
  outputUri: 's3://bucket/out/p00001',
  tags: [{ key: 'quarry:run', value: 'r' }],
};

test('a job created again with the same token is the same job', async () => {
  const bedrock = await openBedrock();
  const first = await bedrock.createJob(request);
  expect(first).toMatchObject({
    kind: 'created',
    jobArn: expect.stringMatching(/model-invocation-job\/[a-z0-9]{12}$/),
  });
  expect(await bedrock.createJob(request)).toEqual(first);
});

test('a name that another job has is told apart, and that job can be found by it', async () => {
  const bedrock = await openBedrock();
  const first = await bedrock.createJob(request);
  expect(await bedrock.createJob({ ...request, clientRequestToken: 'other' })).toEqual({
    kind: 'name_in_use',
  });
  const found = await bedrock.findJobByName('jokes-p00001');
  expect(found?.jobArn).toBe(first.kind === 'created' ? first.jobArn : '');
  expect(await bedrock.findJobByName('jokes-p0000')).toBeUndefined();
});

test('what Bedrock will refuse again is a refusal, in its own words', async () => {
  const bedrock = await openBedrock();
  expect(await bedrock.createJob({ ...request, modelId: 'anthropic.claude-opus-4-7-v1:0' })).toMatchObject({
    kind: 'refused',
    message: expect.stringContaining('Batch inference is not supported for the requested model'),
  });
});

test('throttling, a full quota and a broken service are errors worth trying again, by name', async () => {
  const faults = (kind: string) => openBedrock({ faults: [{ times: 1, fault: { kind } }] as never });
  await expect((await faults('create-throttled')).createJob(request)).rejects.toMatchObject({
    name: 'BedrockThrottledError',
    retryable: true,
  });
  await expect((await faults('create-quota-exceeded')).createJob(request)).rejects.toMatchObject({
    name: 'JobQuotaExceededError',
    retryable: true,
  });
  await expect((await faults('create-server-error')).createJob(request)).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    retryable: true,
  });
});

test('a job that does not exist is not found', async () => {
  const bedrock = await openBedrock();
  await expect(
    bedrock.getJob('arn:aws:bedrock:us-east-1:000000000000:model-invocation-job/abcdefghijkl'),
  ).rejects.toMatchObject({ name: 'ObjectNotFoundError' });
});

test('one record can be run on demand, as InvokeModel and as Converse', async () => {
  const bedrock = await openBedrock();
  const nova = { messages: [{ role: 'user', content: [{ text: 'hello' }] }] };
  expect(await bedrock.invoke('us.amazon.nova-lite-v1:0', 'InvokeModel', nova)).toMatchObject({
    kind: 'answered',
    modelOutput: { output: { message: { content: [{ text: expect.stringContaining('[simulated') }] } } },
  });
  expect(await bedrock.invoke('us.meta.llama3-3-70b-instruct-v1:0', 'Converse', nova)).toMatchObject({
    kind: 'answered',
    modelOutput: { output: { message: { role: 'assistant' } } },
  });
});

test('a body that the model refuses is that record’s error', async () => {
  const bedrock = await openBedrock();
  expect(
    await bedrock.invoke('us.anthropic.claude-haiku-4-5-20251001-v1:0', 'InvokeModel', {}),
  ).toMatchObject({
    kind: 'failed',
    errorCode: 400,
  });
});

test('a call that nobody answers is given up: of a model after the hour that it may take, of the control plane after a minute', async () => {
  const nobody = {
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  };
  const clients = createBedrockClients({ ...nobody, endpoint: 'http://127.0.0.1:9' });
  const unheard = createAwsBedrock(clients);
  // A client reads its settings with its first request.
  await unheard.invoke('amazon.nova-lite-v1:0', 'InvokeModel', {}).catch(() => {});
  await unheard.getJob('job').catch(() => {});
  const deadlines = [clients.control, clients.runtime].map(
    ({ config }) => (config.requestHandler as unknown as NodeHttpHandler).httpHandlerConfigs().requestTimeout,
  );
  expect(deadlines).toEqual([60_000, 3_600_000]);

  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const bedrock = createAwsBedrock(
    createBedrockClients({
      ...nobody,
      endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      requestHandler: { requestTimeout: 50, throwOnRequestTimeout: true },
    }),
  );
  await expect(bedrock.invoke('amazon.nova-lite-v1:0', 'InvokeModel', {})).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
    message: expect.stringContaining('Could not invoke amazon.nova-lite-v1:0: '),
  });
  await expect(bedrock.getJob('arn:aws:bedrock:us-east-1:1:model-invocation-job/a')).rejects.toMatchObject({
    name: 'ServiceUnavailableError',
  });
});
