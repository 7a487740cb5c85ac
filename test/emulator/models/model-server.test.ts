import { InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { expect, test } from 'vitest';
import { openModelServer } from '../../support/model-server-double.ts';
import {
  type Bench,
  CLAUDE,
  INPUT,
  NOVA,
  novaInput,
  novaRecords,
  openBench,
  toJsonl,
} from '../emulator-bench.ts';

const openDouble = () =>
  openModelServer({
    instead: ({ text }) => {
      if (text.includes('teapot')) return { status: 418, text: 'I am a teapot' };
      if (text.includes('busy')) return { status: 429, text: 'later' };
      if (text.includes('broken')) return { status: 200, text: '{"choices":[]}' };
      return text.includes('cut') ? 'cut' : undefined;
    },
  });

const textOf = (line: Awaited<ReturnType<Bench['output']>>[number] | undefined) =>
  JSON.stringify(line?.modelOutput);

test('records are answered by the model server, a few at a time, and nothing is called simulated', async () => {
  await using double = await openDouble();
  await using bench = await openBench({ modelServer: { url: double.url, model: 'tiny' } });
  const prompts = ['teapot', 'busy', 'broken', 'cut', 'a long one', 'a free one'];
  await bench.store.write(
    INPUT,
    novaRecords(100, (index) => prompts[index] ?? `question ${index}`),
  );
  const jobArn = await bench.create();
  expect(await bench.end(jobArn)).toMatchObject({
    status: 'Completed',
    successRecordCount: 96,
    errorRecordCount: 4,
  });
  const lines = (await bench.output(jobArn)).sort((a, b) => a.recordId.localeCompare(b.recordId));
  expect(lines.slice(0, 4).map(({ error }) => error?.errorCode)).toEqual([418, 429, 502, 503]);
  expect(lines[0]?.error?.errorMessage).toBe('The model server answered 418: I am a teapot');
  expect(textOf(lines[4])).toContain('"stopReason":"max_tokens"');
  expect(textOf(lines[7])).toContain('"text":"QUESTION 7"');
  expect(textOf(lines[7])).toContain('"inputTokens":11,"outputTokens":13');
  expect(JSON.stringify(lines)).not.toContain('simulated');
  // Two of them are tried again, for as long as the server may be busy.
  const asked = (text: string) => double.requests.filter((request) => request.text === text).length;
  expect([asked('busy') > 1, asked('cut') > 1, asked('busy') + asked('cut') <= 12]).toEqual([
    true,
    true,
    true,
  ]);
  expect(double.requests).toHaveLength(98 + asked('busy') + asked('cut'));
  expect(double.requests.at(-1)?.body).toMatchObject({ model: 'tiny', max_tokens: 200, stream: false });
  expect(double.maxInFlight()).toBeGreaterThan(1);
  expect(double.maxInFlight()).toBeLessThanOrEqual(4);
  expect(await (await fetch(`${bench.emulator.url}/_emulator`)).json()).toMatchObject({ simulated: false });
});

test('embeddings come from the model server, and are normalised', async () => {
  await using double = await openDouble();
  await using bench = await openBench({ modelServer: { url: double.url } });
  const records = Array.from({ length: 100 }, (_, index) => ({
    recordId: `r${index}`,
    modelInput: { inputText: `text ${index}` },
  }));
  await bench.store.write(INPUT, toJsonl(records));
  const jobArn = await bench.create({ modelId: 'amazon.titan-embed-text-v2:0' });
  await bench.end(jobArn);
  expect((await bench.output(jobArn))[0]?.modelOutput).toEqual({
    embedding: [0.6, 0.8],
    embeddingsByType: { float: [0.6, 0.8] },
    inputTextTokenCount: 7,
  });
  expect(double.requests[0]).toMatchObject({
    path: '/v1/embeddings',
    body: { model: 'amazon.titan-embed-text-v2:0' },
  });
});

test('a restart asks the model server again for few records alone', async () => {
  await using double = await openDouble();
  await using bench = await openBench({
    modelServer: { url: double.url },
    durations: { inProgressMs: 3_600_000 },
    trackRecords: true,
  });
  await bench.store.write(INPUT, novaRecords(300));
  const jobArn = await bench.create();
  await bench.clock.sleep(1_800_000);
  expect(double.requests.length).toBeGreaterThan(100);
  await bench.restart();
  await bench.end(jobArn);
  expect(double.requests).toHaveLength(300);
  expect((await bench.emulator.usage()).tracked).toMatchObject({ recordIds: 300, answeredMoreThanOnce: [] });
});

test.each([
  ['busy', 'ThrottlingException'],
  ['broken', 'ServiceUnavailableException'],
  ['teapot', 'ValidationException'],
])('on demand, a server that says "%s" is a %s', async (prompt, name) => {
  await using double = await openDouble();
  await using bench = await openBench({ modelServer: { url: double.url } });
  const invoke = (text: string) =>
    bench.runtime.send(new InvokeModelCommand({ modelId: NOVA, body: JSON.stringify(novaInput(text)) }));
  await expect(invoke(prompt)).rejects.toMatchObject({ name });
  expect((await invoke('hello')).body.transformToString()).toContain('HELLO');
});

test('system prompt, sampling and stop sequences reach the model server', async () => {
  await using double = await openDouble();
  await using bench = await openBench({ modelServer: { url: double.url } });
  const body = {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 9,
    system: 'Be brief.',
    temperature: 0.5,
    stop_sequences: ['END'],
    messages: [{ role: 'user', content: 'a free one' }],
  };
  const response = await bench.runtime.send(
    new InvokeModelCommand({ modelId: CLAUDE, body: JSON.stringify(body) }),
  );
  expect(JSON.parse(response.body.transformToString())).toMatchObject({
    usage: { input_tokens: 6, output_tokens: 3 },
  });
  expect(double.requests[0]?.body).toEqual({
    model: CLAUDE.replace('us.', ''),
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'a free one' },
    ],
    max_tokens: 9,
    temperature: 0.5,
    stop: ['END'],
    stream: false,
  });
});
