import { ListModelInvocationJobsCommand, StopModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import { ConverseCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { expect, test } from 'vitest';
import { simulatedAnswer } from '../../src/emulator/models/simulated-model.ts';
import { INPUT, NOVA, novaInput, novaRecords, openBench } from './emulator-bench.ts';

test('a job goes from Submitted to Completed, and each answer belongs to its own prompt', async () => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(150));
  const jobArn = await bench.create();
  expect(jobArn).toMatch(/^arn:aws:bedrock:us-east-1:123456789012:model-invocation-job\/[a-z0-9]{12}$/);
  expect((await bench.get(jobArn)).status).toBe('Submitted');

  const job = await bench.end(jobArn);
  expect(job.status).toBe('Completed');
  expect(job.modelId).toBe(`arn:aws:bedrock:us-east-1:123456789012:inference-profile/${NOVA}`);
  expect([
    job.totalRecordCount,
    job.processedRecordCount,
    job.successRecordCount,
    job.errorRecordCount,
  ]).toEqual([150, 150, 150, 0]);

  const lines = await bench.output(jobArn);
  expect(lines.map(({ recordId }) => recordId)).not.toEqual(lines.map(({ recordId }) => recordId).sort());
  for (const { recordId, modelInput, modelOutput } of lines) {
    const prompt = `Question ${Number(recordId.slice(1))}`;
    expect(modelInput).toEqual(novaInput(prompt));
    expect(modelOutput).toMatchObject({
      output: { message: { content: [{ text: simulatedAnswer(NOVA, prompt) }] } },
      stopReason: 'end_turn',
    });
  }
  expect(await bench.manifest(jobArn)).toMatchObject({
    totalRecordCount: 150,
    processedRecordCount: 150,
    successRecordCount: 150,
    errorRecordCount: 0,
  });
});

test('a stopped job keeps the output of the records that were through', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 9 * 3_600_000 } });
  await bench.store.write(INPUT, novaRecords(200));
  const jobArn = await bench.create();
  await bench.clock.sleep(4.5 * 3_600_000);
  expect((await bench.get(jobArn)).status).toBe('InProgress');
  await bench.clock.busy(() =>
    bench.bedrock.send(new StopModelInvocationJobCommand({ jobIdentifier: jobArn })),
  );
  expect((await bench.get(jobArn)).status).toBe('Stopping');
  const job = await bench.end(jobArn);
  expect(job.status).toBe('Stopped');
  const lines = await bench.output(jobArn);
  expect(lines.length).toBeGreaterThan(90);
  expect(lines.length).toBeLessThan(110);
  expect((await bench.emulator.usage()).totals.answered).toBe(lines.length);
});

test('jobs are listed by name and in pages', async () => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(100));
  for (const index of [1, 2, 3]) await bench.create({ jobName: `job-${index}` });
  const list = (input: object) =>
    bench.clock.busy(() => bench.bedrock.send(new ListModelInvocationJobsCommand(input)));
  const first = await list({ maxResults: 2, sortOrder: 'Ascending' });
  const second = await list({ maxResults: 2, sortOrder: 'Ascending', nextToken: first.nextToken });
  expect([first, second].map((page) => page.invocationJobSummaries?.map(({ jobName }) => jobName))).toEqual([
    ['job-1', 'job-2'],
    ['job-3'],
  ]);
  expect(second.nextToken).toBeUndefined();
  expect((await list({ nameContains: 'b-2' })).invocationJobSummaries).toHaveLength(1);
});

test('InvokeModel and Converse answer at once', async () => {
  await using bench = await openBench();
  const invoked = await bench.runtime.send(
    new InvokeModelCommand({ modelId: NOVA, body: JSON.stringify(novaInput('Hello')) }),
  );
  expect(JSON.parse(invoked.body.transformToString())).toMatchObject({
    output: { message: { content: [{ text: simulatedAnswer(NOVA, 'Hello') }] } },
  });
  const conversed = await bench.runtime.send(
    new ConverseCommand({ modelId: NOVA, messages: [{ role: 'user', content: [{ text: 'Hello' }] }] }),
  );
  expect(conversed.output?.message?.content).toEqual([{ text: simulatedAnswer(NOVA, 'Hello') }]);
  expect(conversed.usage?.inputTokens).toBe(2);
  expect((await bench.emulator.usage()).onDemand.calls).toBe(2);
});
