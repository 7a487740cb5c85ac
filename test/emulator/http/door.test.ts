import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime';
import { expect, test } from 'vitest';
import { type Bench, INPUT, novaInput, novaRecords, openBench, ROLE_ARN } from '../emulator-bench.ts';

const CREATE = JSON.stringify({
  jobName: 'job-1',
  roleArn: ROLE_ARN,
  modelId: 'us.amazon.nova-micro-v1:0',
  inputDataConfig: { s3InputDataConfig: { s3Uri: INPUT } },
  outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://data-bucket/out/' } },
});

/** Sends the packets one after the other over one connection, and returns all that comes back until it ends. */
async function send({ emulator }: Bench, packets: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(emulator.port, '127.0.0.1').setNoDelay(true);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const packet of packets) {
    await new Promise<void>((resolve) => socket.write(packet, () => resolve()));
    if (packets.length < 20) await sleep(20);
  }
  await closed;
  return answer;
}

function post(headers: readonly string[], body = CREATE): string {
  return [
    'POST /model-invocation-job HTTP/1.1',
    ...headers,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

test.each([
  ['a page of another site', ['Host: 127.0.0.1:1', 'Origin: https://evil.example'], 'https://evil.example'],
  ['a page in a sandbox', ['Host: 127.0.0.1:1', 'Origin: null'], 'a web page of null'],
  [
    'a page of a site whose name begins with ours',
    ['Host: localhost', 'Origin: http://localhost.evil.example'],
    'evil',
  ],
  [
    'a request that the browser calls cross-site',
    ['Host: localhost:1', 'Sec-Fetch-Site: cross-site'],
    'another site',
  ],
  ['a name that was pointed at this machine', ['Host: evil.example:8585'], '"evil.example:8585"'],
  ['an address of this machine in its network', ['Host: 192.168.1.7:8585'], '"192.168.1.7:8585"'],
  ['a host that only looks like loopback', ['Host: 127.0.0.1.evil.example'], '"127.0.0.1.evil.example"'],
])('%s makes no job', async (_, headers, told) => {
  await using bench = await openBench();
  await bench.store.write(INPUT, novaRecords(100));
  const answer = await send(bench, [post(headers)]);
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  expect(answer).toContain('x-amzn-errortype: AccessDeniedException');
  expect(answer).toContain(JSON.stringify(told).slice(1, -1));
  expect((await bench.emulator.usage()).jobs).toEqual([]);
});

test.each([
  ['127.0.0.1', ['Host: 127.0.0.1:1']],
  ['localhost, from a page of this machine', ['Host: localhost:1', 'Origin: http://localhost:3000']],
  ['a name below localhost', ['Host: bedrock.localhost:1']],
  ['IPv6', ['Host: [::1]:1', 'Sec-Fetch-Site: same-origin']],
])('a request to this machine is answered: %s', async (_, headers) => {
  await using bench = await openBench();
  expect(await send(bench, [post(headers)])).toMatch(/^HTTP\/1\.1 200 /);
});

test('a page of another site is refused by HTTP/2 too', async () => {
  await using bench = await openBench();
  const status = async (headers: Record<string, string>) => {
    const session = connectHttp2(bench.emulator.url);
    try {
      const request = session.request({ ':path': '/_emulator', ...headers });
      return await new Promise((resolve, reject) =>
        request.once('response', (response) => resolve(response[':status'])).once('error', reject),
      );
    } finally {
      session.destroy();
    }
  };
  expect(await status({})).toBe(200);
  expect(await status({ origin: 'https://evil.example' })).toBe(403);
  expect(await status({ ':authority': 'evil.example' })).toBe(403);
});

test('a request is read whose packets are of one byte each', async () => {
  await using bench = await openBench();
  const request =
    'POST /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
  expect(
    await send(
      bench,
      [...request].map((byte) => Buffer.from(byte)),
    ),
  ).toContain('There is no operation POST /nothing.');
  expect(await send(bench, ['P', request.slice(1)])).toMatch(/^HTTP\/1\.1 404 /);
});

test('HTTP/2 is told by its preface, in whatever packets that comes', async () => {
  await using bench = await openBench();
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  const goAway = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const answer = await send(bench, ['P', 'RI * HT', 'TP/2.0\r\n\r\nSM\r\n\r\n', settings, goAway]);
  // A frame of type 4, SETTINGS, comes first.
  expect(answer.charCodeAt(3)).toBe(4);
});

test('a body that is too large is refused with 413, and the next request is answered', async () => {
  await using bench = await openBench();
  const response = await fetch(`${bench.emulator.url}/model-invocation-job`, {
    method: 'POST',
    body: Buffer.alloc(33 * 1024 ** 2, 0x20),
  });
  expect(response.status).toBe(413);
  expect(response.headers.get('x-amzn-errortype')).toBe('RequestEntityTooLargeException');
  const call = (prompt: string) =>
    bench.runtime.send(
      new InvokeModelCommand({
        modelId: 'us.amazon.nova-micro-v1:0',
        body: JSON.stringify(novaInput(prompt)),
      }),
    );
  await expect(call('x'.repeat(33 * 1024 ** 2))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 413 },
  });
  expect((await call('Hello')).body.transformToString()).toContain('simulated');
});

test('on demand, a bare id of a model that is offered through profiles alone is refused', async () => {
  await using bench = await openBench();
  const modelId = 'anthropic.claude-haiku-4-5-20251001-v1:0';
  await expect(bench.runtime.send(new InvokeModelCommand({ modelId, body: '{}' }))).rejects.toMatchObject({
    name: 'ValidationException',
    message: `Invocation of model ID ${modelId} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`,
  });
});
