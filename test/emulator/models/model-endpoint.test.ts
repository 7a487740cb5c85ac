import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { expect, test } from 'vitest';
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

interface Double extends AsyncDisposable {
  url: string;
  requests: { path: string; body: Record<string, unknown> }[];
  maxInFlight: () => number;
}

/** A model server that shouts the prompt back. */
async function openDouble(): Promise<Double> {
  const requests: Double['requests'] = [];
  let inFlight = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    requests.push({ path: request.url ?? '', body });
    await new Promise((resolve) => setImmediate(resolve));
    inFlight -= 1;
    const text = String(body.messages?.at(-1)?.content ?? body.input);
    if (text.includes('teapot')) return void response.writeHead(418).end('I am a teapot');
    if (text.includes('busy')) return void response.writeHead(429).end('later');
    if (text.includes('broken')) return void response.end('{"choices":[]}');
    if (text.includes('cut')) return void request.socket.destroy();
    const answer =
      request.url === '/v1/embeddings'
        ? { data: [{ embedding: [3, 4] }], usage: { prompt_tokens: 7 } }
        : {
            choices: [
              {
                message: { content: text.toUpperCase() },
                finish_reason: text.includes('long') ? 'length' : 'stop',
              },
            ],
            ...(text.includes('free') ? {} : { usage: { prompt_tokens: 11, completion_tokens: 13 } }),
          };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    maxInFlight: () => most,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const textOf = (line: Awaited<ReturnType<Bench['output']>>[number] | undefined) =>
  JSON.stringify(line?.modelOutput);

test('records are answered by the model server, a few at a time, and nothing is called simulated', async () => {
  await using double = await openDouble();
  await using bench = await openBench({ modelEndpoint: double.url, modelEndpointModel: 'tiny' });
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
  expect(double.requests).toHaveLength(100);
  expect(double.requests.at(-1)?.body).toMatchObject({ model: 'tiny', max_tokens: 200, stream: false });
  expect(double.maxInFlight()).toBeGreaterThan(1);
  expect(double.maxInFlight()).toBeLessThanOrEqual(4);
  expect(await (await fetch(`${bench.emulator.url}/_emulator`)).json()).toMatchObject({ simulated: false });
});

test('embeddings come from the model server, and are normalised', async () => {
  await using double = await openDouble();
  await using bench = await openBench({ modelEndpoint: double.url });
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
    modelEndpoint: double.url,
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
  await using bench = await openBench({ modelEndpoint: double.url });
  const invoke = (text: string) =>
    bench.runtime.send(new InvokeModelCommand({ modelId: NOVA, body: JSON.stringify(novaInput(text)) }));
  await expect(invoke(prompt)).rejects.toMatchObject({ name });
  expect((await invoke('hello')).body.transformToString()).toContain('HELLO');
});

test('system prompt, sampling and stop sequences reach the model server', async () => {
  await using double = await openDouble();
  await using bench = await openBench({ modelEndpoint: double.url });
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
