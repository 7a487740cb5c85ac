import { StopModelInvocationJobCommand } from '@aws-sdk/client-bedrock';
import { expect, test } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { CLAUDE, INPUT, NOVA, novaInput, novaRecords, openBench, toJsonl } from '../emulator-bench.ts';

test.each([
  ['99 records', novaRecords(99), 'Batch job contains less records (99) than the required minimum of: 100'],
  ['an empty file', '', 'Batch job contains less records (0) than the required minimum of: 100'],
  [
    'a line that is not JSON',
    `${novaRecords(120)}{"recordId":`,
    'record 121 of s3://data-bucket/in/records.jsonl: the line is not valid JSON',
  ],
  [
    'a line that is a list',
    `[]\n${novaRecords(120)}`,
    'record 1 of s3://data-bucket/in/records.jsonl: the line is not a JSON object',
  ],
  [
    'a record without a model input',
    `{"recordId":"a"}\n${novaRecords(120)}`,
    'the key "modelInput" is missing',
  ],
  [
    'a model input that is text',
    `{"modelInput":"a"}\n${novaRecords(120)}`,
    '"modelInput" is not a JSON object',
  ],
  [
    'a record id that is a number',
    `{"recordId":1,"modelInput":{}}\n${novaRecords(120)}`,
    '"recordId" is not a string',
  ],
  ['too many records', novaRecords(151), 'is 151, over the maximum of 150'],
  ['too many bytes', novaRecords(120, () => 'x'.repeat(1000)), 'over the maximum of 100000'],
])('a job with %s fails in Validating and says why', async (_, text, message) => {
  await using bench = await openBench({
    quotas: { default: { maxRecordsPerFile: 150, maxBytesPerFile: 100_000 } },
  });
  await bench.store.write(INPUT, text);
  const job = await bench.end(await bench.create());
  expect(job.status).toBe('Failed');
  expect(job.message).toContain(message);
  expect(job.endTime).toBeDefined();
});

test('a job fails whose input is missing, is not JSONL, or is a folder without JSONL', async () => {
  await using bench = await openBench();
  await bench.store.write('s3://data-bucket/in/records.csv', 'a');
  const inputs = ['s3://data-bucket/none/a.jsonl', 's3://data-bucket/in/records.csv', 's3://data-bucket/in/'];
  const messages = [];
  for (const [index, s3Uri] of inputs.entries()) {
    const jobArn = await bench.create({
      jobName: `j${index}`,
      inputDataConfig: { s3InputDataConfig: { s3Uri } },
    });
    messages.push((await bench.end(jobArn)).message);
  }
  expect(messages).toEqual([
    'Could not validate GetObject permissions to access Amazon S3 bucket: data-bucket at key none/a.jsonl',
    'Input validation failed: s3://data-bucket/in/records.csv is not a .jsonl file.',
    'Input validation failed: there is no .jsonl file under s3://data-bucket/in/.',
  ]);
});

test('quotas of the whole job count over all its files', async () => {
  await using bench = await openBench({
    quotas: {
      default: { maxRecordsPerJob: 200 },
      models: { 'anthropic.claude-haiku-4-5-20251001-v1:0': { maxBytesPerJob: 1000 } },
    },
  });
  for (const name of ['a', 'b', 'c'])
    await bench.store.write(`s3://data-bucket/in/${name}.jsonl`, novaRecords(100));
  const inputDataConfig = { s3InputDataConfig: { s3Uri: 's3://data-bucket/in' } };
  const first = await bench.end(await bench.create({ inputDataConfig }));
  expect(first.message).toContain('the number of records in the job is 300');
  const second = await bench.end(await bench.create({ jobName: 'b', modelId: CLAUDE, inputDataConfig }));
  expect(second.message).toContain('the size in bytes of the job');
});

test('each input file of a folder gets an output file, and there is one manifest', async () => {
  await using bench = await openBench();
  await bench.store.write('s3://data-bucket/in/a.jsonl', novaRecords(60));
  await bench.store.write('s3://data-bucket/in/sub/b.jsonl', novaRecords(70));
  await bench.store.write('s3://data-bucket/in/picture.png', 'x');
  const jobArn = await bench.create({
    inputDataConfig: { s3InputDataConfig: { s3Uri: 's3://data-bucket/in/' } },
    outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out' } },
  });
  await bench.end(jobArn);
  expect(await bench.output(jobArn, 'a.jsonl.out')).toHaveLength(60);
  expect(await bench.output(jobArn, 'sub/b.jsonl.out')).toHaveLength(70);
  expect((await bench.manifest(jobArn)).totalRecordCount).toBe(130);
});

test('output at the root of a bucket has no leading slash', async () => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(100));
  const jobArn = await bench.create({
    outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://out-bucket/' } },
  });
  await bench.end(jobArn);
  expect(await bench.store.head(`s3://out-bucket/${jobArn.slice(-12)}/manifest.json.out`)).toBeDefined();
});

test('a job whose records all fail is Completed all the same, with numbers for error codes', async () => {
  await using bench = await openBench();
  const records = Array.from({ length: 100 }, (_, index) => ({
    recordId: `r${index}`,
    modelInput: { max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] },
  }));
  await bench.store.write(INPUT, toJsonl(records));
  const jobArn = await bench.create({ modelId: CLAUDE });
  const job = await bench.end(jobArn);
  expect([job.status, job.successRecordCount, job.errorRecordCount]).toEqual(['Completed', 0, 100]);
  const lines = await bench.output(jobArn);
  expect(new Set(lines.map(({ error }) => JSON.stringify(error)))).toEqual(
    new Set(['{"errorCode":400,"errorMessage":"anthropic_version: Field required"}']),
  );
  expect((await bench.emulator.usage()).totals).toMatchObject({ answered: 0, errors: 100, inputTokens: 0 });
});

test('a record without an id gets one of eleven characters, and its model input is echoed letter by letter', async () => {
  await using bench = await openBench();
  const spaced =
    '{ "messages" : [ {"role":"user", "content":[{"text":"\\u00e9 \\ud800 \\"}{[ é"}]} ], "inferenceConfig": {"temperature": 1.0} }';
  const lines = [
    `{"modelInput":${spaced}}`,
    `{ "note": {"a":["}"]}, "count": -1.5e3, "modelInput" : ${spaced} , "recordId" : "last" }\r`,
    `{"recordId":"spaced","modelInput": ${spaced} }`,
    `{"recordId":"q\\"x","modelInput":${spaced}}`,
    '',
  ];
  await bench.store.write(INPUT, `${lines.join('\n')}\n${novaRecords(100).trimEnd()}`);
  const jobArn = await bench.create();
  expect((await bench.end(jobArn)).totalRecordCount).toBe(104);
  const text = Buffer.from(
    await bench.store.read(`s3://data-bucket/out/${jobArn.slice(-12)}/records.jsonl.out`),
  ).toString();
  expect(text.split(`{"modelInput":${spaced},"modelOutput":`)).toHaveLength(5);
  const ids = (await bench.output(jobArn)).map(({ recordId }) => recordId);
  expect(ids).toEqual(expect.arrayContaining(['last', 'spaced', 'q"x']));
  expect(ids.filter((id) => /^[A-Z0-9]{11}$/.test(id))).toHaveLength(1);
});

test('output and manifest grow while the job is in progress', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 9 * 3_600_000 } });
  await bench.store.write(INPUT, novaRecords(900));
  const jobArn = await bench.create();
  const seen = [];
  for (const hours of [3.1, 3, 3]) {
    await bench.clock.sleep(hours * 3_600_000);
    const job = await bench.get(jobArn);
    const lines = await bench.clock.busy(() => bench.output(jobArn));
    const manifest = await bench.clock.busy(() => bench.manifest(jobArn));
    expect(job.processedRecordCount).toBe(lines.length);
    expect(manifest.processedRecordCount).toBe(lines.length);
    expect(manifest.totalRecordCount).toBe(900);
    seen.push([job.status, lines.length]);
  }
  expect(seen).toEqual([
    ['InProgress', 300],
    ['InProgress', 600],
    ['Completed', 900],
  ]);
});

test('a job that is cut off by its timeout is PartiallyCompleted, and the rest of its records is missing', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 48 * 3_600_000 } });
  await bench.store.write(INPUT, novaRecords(200));
  const jobArn = await bench.create();
  const job = await bench.end(jobArn);
  expect(job.status).toBe('PartiallyCompleted');
  expect(await bench.output(jobArn)).toHaveLength(99);
  expect(await bench.manifest(jobArn)).toMatchObject({ totalRecordCount: 200, processedRecordCount: 99 });
});

test('a job that does not begin before its timeout is Expired without output', async () => {
  await using bench = await openBench({ durations: { scheduledMs: 48 * 3_600_000 } });
  await bench.store.write(INPUT, novaRecords(200));
  const jobArn = await bench.create();
  const job = await bench.end(jobArn);
  expect([job.status, job.processedRecordCount]).toEqual(['Expired', 0]);
  await expect(bench.output(jobArn)).rejects.toThrow('There is no object');
});

test('Converse records spell out every empty member of a block, and refuse tools', async () => {
  await using bench = await openBench();
  const toInput = (index: number) => ({
    messages: [{ role: 'user', content: [{ text: `Question ${index}` }] }],
    ...(index === 7 ? { toolConfig: { tools: [] } } : {}),
  });
  await bench.store.write(
    INPUT,
    toJsonl(
      Array.from({ length: 100 }, (_, index) => ({ recordId: `r${index}`, modelInput: toInput(index) })),
    ),
  );
  const jobArn = await bench.create({ modelInvocationType: 'Converse', modelId: CLAUDE });
  expect(await bench.end(jobArn)).toMatchObject({ status: 'Completed', errorRecordCount: 1 });
  for (const { recordId, modelOutput, error } of await bench.output(jobArn)) {
    if (recordId === 'r7') expect(error?.errorCode).toBe(400);
    else
      expect(modelOutput).toMatchObject({
        output: { message: { content: [{ toolUse: null, image: null }] } },
        trace: null,
      });
  }
  expect(await bench.manifest(jobArn)).toHaveProperty('cacheReadInputTokenCount', 0);
});

test.each([0, 200, 600, 1100, 3_600_000 * 5])(
  'an emulator that was closed %i ms after create goes on, and answers no record twice',
  async (afterMs) => {
    const plain = await openBench({ durations: { inProgressMs: 9 * 3_600_000 }, trackRecords: true });
    await using bench = plain;
    await bench.store.write(INPUT, novaRecords(900));
    const jobArn = await bench.create({ clientRequestToken: 'token' });
    await bench.clock.sleep(afterMs);
    await bench.restart();
    expect(await bench.create({ clientRequestToken: 'token', jobName: 'other' })).toBe(jobArn);
    await expect(bench.create()).rejects.toMatchObject({ name: 'ConflictException' });
    const job = await bench.end(jobArn);
    expect(job.status).toBe('Completed');
    expect((job.endTime?.getTime() ?? 0) - (job.submitTime?.getTime() ?? 0)).toBe(9 * 3_600_000 + 1090);
    const ids = (await bench.output(jobArn)).map(({ recordId }) => recordId);
    expect([ids.length, new Set(ids).size]).toEqual([900, 900]);
    const usage = await bench.emulator.usage();
    expect(usage.totals.answered).toBe(900);
    expect(usage.tracked).toMatchObject({ recordIds: 900, answeredMoreThanOnce: [] });
    await bench.restart();
    expect(await bench.emulator.usage()).toEqual(usage);
  },
);

test('a job that was stopping when the emulator closed is stopped by the next one', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 9 * 3_600_000, stoppingMs: 60_000 } });
  await bench.store.write(INPUT, novaRecords(900));
  const jobArn = await bench.create();
  await bench.clock.sleep(3_600_000);
  await bench.clock.busy(() =>
    bench.bedrock.send(new StopModelInvocationJobCommand({ jobIdentifier: jobArn })),
  );
  await bench.restart();
  const job = await bench.end(jobArn);
  expect(job.status).toBe('Stopped');
  expect((await bench.output(jobArn)).length).toBe(99);
});

test('what was answered in two jobs, or on demand as well, shows in the usage', async () => {
  await using bench = await openBench({ trackRecords: true });
  await bench.store.write(INPUT, novaRecords(100));
  await bench.end(await bench.create());
  await bench.store.write(INPUT, novaRecords(120));
  await bench.end(await bench.create({ jobName: 'job-2' }));
  await fetch(`${bench.emulator.url}/model/${NOVA}/invoke`, {
    method: 'POST',
    body: JSON.stringify(novaInput('Question 110')),
  });
  const { tracked } = await bench.emulator.usage();
  expect(tracked?.answeredMoreThanOnce).toHaveLength(100);
  expect(tracked?.bodiesAnsweredMoreThanOnce).toHaveLength(101);
});

test('input that changes under a running job fails that job, and no other', async () => {
  await using bench = await openBench({ durations: { inProgressMs: 3_600_000 } });
  await bench.store.write(
    INPUT,
    novaRecords(400, (index) => `${index} ${'x'.repeat(3000)}`),
  );
  const first = await bench.create();
  await bench.clock.sleep(600_000);
  await bench.clock.busy(() => bench.store.write(INPUT, novaRecords(120)));
  const second = await bench.create({ jobName: 'job-2' });
  expect((await bench.end(first)).message).toContain('Internal error of the emulator');
  expect((await bench.end(second)).status).toBe('Completed');
});

test('records larger than any buffer are answered like the others', async () => {
  await using bench = await openBench();
  const prompts = (index: number) => (index % 40 === 0 ? `é${index} `.repeat(200_000) : `Question ${index}`);
  await bench.store.write(INPUT, novaRecords(120, prompts));
  const modelId = 'us.amazon.nova-premier-v1:0';
  const jobArn = await bench.create({ modelId });
  expect((await bench.end(jobArn)).successRecordCount).toBe(120);
  for (const { recordId, modelInput, modelOutput } of await bench.output(jobArn)) {
    const prompt = prompts(Number(recordId.slice(1)));
    expect(modelInput).toEqual(novaInput(prompt));
    expect(modelOutput).toMatchObject({
      output: { message: { content: [{ text: simulatedAnswer(modelId, prompt) }] } },
    });
  }
});
