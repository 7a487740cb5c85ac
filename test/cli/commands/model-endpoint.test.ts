import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readResults } from '../../../src/rows/results/read-results.ts';
import { openModelServer } from '../../support/model-server-double.ts';
import { type QuarryOutcome, runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const KEY = 'QUARRY_TEST_ENDPOINT_KEY';
const NOVA = 'us.amazon.nova-micro-v1:0';
const ROWS = 120;

async function prepare() {
  const dir = await temporaryDirectory();
  const file = join(dir, 'rows.csv');
  await writeFile(file, `name\n${Array.from({ length: ROWS }, (_, index) => `row ${index}\n`).join('')}`);
  const run = (...flags: string[]) =>
    runQuarry(
      ...['run', file, '--dir', dir, '--json', '--model-id', NOVA],
      ...['--prompt-template', 'Say {name}', ...flags],
    );
  return { dir, run };
}

function withKey(value: string): void {
  process.env[KEY] = value;
  onTestFinished(() => void delete process.env[KEY]);
}

/** The answers of a run, in the order of its rows. */
async function answersOf({ out, err, status }: QuarryOutcome): Promise<string[]> {
  expect([status, err]).toEqual([0, err]);
  const rows = await Array.fromAsync(readResults(JSON.parse(out).output_paths, {}));
  return rows.map(({ response }) => String(response));
}

const shouted = (count = ROWS) => Array.from({ length: count }, (_, index) => `SAY ROW ${index}`);

test('the line of the README for Ollama works with a server that checks names', async () => {
  const readme = await readFile('README.md', 'utf8');
  const line = /npm run demo -- --model-endpoint http:\/\/localhost:11434\/v1 --endpoint-model (\S+)/.exec(
    readme,
  );
  await using server = await openModelServer({ models: [String(line?.[1])] });
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  const demo: string[] = scripts.demo.split(' ').slice(2);
  const flags = String(line?.[0])
    .replace(/^.*? -- /, '')
    .replace(/:11434/, `:${server.port}`);
  const dir = await temporaryDirectory();
  const result = await runQuarry(...demo, ...flags.split(' '), '--dir', dir, '--max-records', '101');
  expect([result.status, result.err]).toEqual([0, result.err]);
  expect(result.out).toContain('every row answered');
  expect(result.out).not.toContain('simulated');
  expect(server.requests.every(({ body }) => body.model === line?.[1])).toBe(true);
  // One token first, to see whether the server answers at all.
  expect(server.requests[0]?.body).toMatchObject({ max_tokens: 1 });
  expect(server.requests).toHaveLength(1 + 101);
});

test('a server that checks model names and keys gets them', async () => {
  await using server = await openModelServer({ models: ['tiny'], apiKey: 'secret' });
  const { dir, run } = await prepare();
  withKey('secret');
  const endpoint = ['--model-endpoint', server.url, '--endpoint-model', 'tiny'];
  const result = await run(
    ...endpoint,
    ...['--endpoint-api-key-env', KEY, '--endpoint-concurrency', '2', '--endpoint-timeout', '30'],
  );
  expect(await answersOf(result)).toEqual(shouted());
  expect(server.maxInFlight()).toBeLessThanOrEqual(2);
  // The key is written down nowhere.
  const { run_id: runId } = JSON.parse(result.out);
  for (const path of [`known-runs/${runId}.json`, `quarry-local/runs/${runId}/plan.json`, '.emulator/jobs']) {
    expect(existsSync(join(dir, path))).toBe(true);
  }
  const files = await Array.fromAsync(filesBelow(dir));
  for (const file of files) expect(await readFile(file, 'latin1')).not.toContain('secret');
});

async function* filesBelow(dir: string): AsyncGenerator<string> {
  const { readdir } = await import('node:fs/promises');
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) yield join(entry.parentPath, entry.name);
  }
}

async function openPage(status: number, text: string): Promise<string> {
  const page = createServer((_, response) => response.writeHead(status).end(text));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void page.close());
  return `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
}

test('a port that nobody listens on ends the run at once, and says what was tried', async () => {
  const { dir, run } = await prepare();
  const { status, err } = await run('--model-endpoint', 'http://127.0.0.1:9/v1');
  expect(status).toBe(1);
  expect(err).toContain(
    'The model server at http://127.0.0.1:9/v1 did not answer: connect ECONNREFUSED 127.0.0.1:9. Start it, or correct --model-endpoint. Tried: POST http://127.0.0.1:9/v1/chat/completions. Nothing was sent.',
  );
  expect(existsSync(join(dir, 'quarry-local', 'runs'))).toBe(false);
  expect(existsSync(join(dir, '.emulator'))).toBe(false);
});

test.each([
  ['localhost:11434/v1', 'is not an HTTP URL. Write it like http://localhost:11434/v1.'],
  ['ftp://localhost/v1', '--model-endpoint "ftp://localhost/v1" is not an HTTP URL.'],
  ['', '--model-endpoint "" is not an HTTP URL.'],
])('--model-endpoint %j is refused', async (url, message) => {
  const { dir, run } = await prepare();
  const { status, err } = await run('--model-endpoint', url);
  expect([status, err]).toEqual([1, expect.stringContaining(message)]);
  expect(existsSync(join(dir, 'quarry-local', 'runs'))).toBe(false);
});

test('a path without /v1, a web page, and a server that is something else are told apart', async () => {
  await using server = await openModelServer({ models: ['tiny'] });
  const { run } = await prepare();
  const bare = server.url.replace('/v1', '');
  expect((await run('--model-endpoint', bare)).err).toContain(
    `There is no OpenAI-compatible server at ${bare}: it answered 404: 404 page not found. The paths of most servers begin with /v1: try --model-endpoint ${bare}/v1. Tried: POST ${bare}/chat/completions.`,
  );
  const page = await openPage(200, '<!doctype html><title>Hello</title>');
  expect((await run('--model-endpoint', `${page}/v1`)).err).toContain(
    `There is no OpenAI-compatible server at ${page}/v1: it answered 200 with a web page. Correct --model-endpoint.`,
  );
  const other = await openPage(200, '{"hello":"world"}');
  expect((await run('--model-endpoint', `${other}/v1`)).err).toContain('it answered 200: {"hello":"world"}');
  const broken = await openPage(500, 'CUDA out of memory');
  expect((await run('--model-endpoint', `${broken}/v1`)).err).toContain(
    `The model server answered 500: CUDA out of memory. Asked for model "amazon.nova-micro-v1:0" at ${broken}/v1.`,
  );
});

test('a model that the server does not have is named, with those that it has', async () => {
  await using server = await openModelServer({ models: ['llama3.2:1b', 'qwen2.5:0.5b'] });
  const { run } = await prepare();
  expect((await run('--model-endpoint', server.url)).err).toContain(
    `The model server at ${server.url} has no model "amazon.nova-micro-v1:0". It has: llama3.2:1b, qwen2.5:0.5b. Name one with --endpoint-model.`,
  );
  expect(server.requests).toHaveLength(1);
});

test('a key that is missing, not set or wrong is named, and never shown', async () => {
  await using server = await openModelServer({ apiKey: 'secret' });
  const { run } = await prepare();
  expect((await run('--model-endpoint', server.url)).err).toContain(
    'requires a key: it answered 401. Put the key into an environment variable, and name that with --endpoint-api-key-env.',
  );
  const flags = ['--model-endpoint', server.url, '--endpoint-api-key-env', KEY];
  expect((await run(...flags)).err).toContain(
    `--endpoint-api-key-env ${KEY}: there is no such environment variable, or it is empty. Nothing was sent.`,
  );
  withKey('wrong-key');
  const { err } = await run(...flags);
  expect(err).toContain(`does not accept the key in ${KEY}: it answered 401.`);
  expect(err).not.toContain('wrong-key');
});

test('options of a model server are refused without one, and on other targets', async () => {
  const { run } = await prepare();
  expect((await run('--endpoint-model', 'tiny')).err).toContain(
    '--endpoint-model goes with --model-endpoint, which is missing.',
  );
  expect((await run('--endpoint-timeout', '5', '--target', 'aws')).err).toContain(
    '--endpoint-timeout goes with --target local',
  );
});

test('the same run with another model server is another run, and no answers mix', async () => {
  await using first = await openModelServer({ models: ['a', 'b'] });
  await using second = await openModelServer();
  const { run } = await prepare();
  const results = [
    await run(),
    await run('--model-endpoint', first.url, '--endpoint-model', 'a'),
    await run('--model-endpoint', first.url, '--endpoint-model', 'b'),
    await run('--model-endpoint', second.url),
  ];
  expect(new Set(results.map(({ out }) => JSON.parse(out).run_id)).size).toBe(4);
  const [simulated, ...served] = await Promise.all(results.map(answersOf));
  expect(simulated?.every((answer) => answer.startsWith('[simulated'))).toBe(true);
  for (const answers of served) expect(answers).toEqual(shouted());
  expect(first.requests).toHaveLength(2 * (1 + ROWS));
  expect(second.requests).toHaveLength(1 + ROWS);
  // And once more: it is finished, and asks for nothing, whether the server is there or not.
  await answersOf(await run('--model-endpoint', second.url));
  expect(second.requests).toHaveLength(1 + ROWS);
  await second[Symbol.asyncDispose]();
  await answersOf(await run('--model-endpoint', second.url));
});

test('two runs at once in one folder are each answered by their own server', async () => {
  const servers = [
    await openModelServer({ models: ['a'] }),
    await openModelServer({ models: ['b'] }),
  ] as const;
  const { run } = await prepare();
  try {
    const [a, b, simulated] = await Promise.all([
      run('--model-endpoint', servers[0].url, '--endpoint-model', 'a').then(answersOf),
      run('--model-endpoint', servers[1].url, '--endpoint-model', 'b').then(answersOf),
      run('--run-id', 'simulated').then(answersOf),
    ]);
    expect([a, b]).toEqual([shouted(), shouted()]);
    expect(simulated.every((answer) => answer.startsWith('[simulated'))).toBe(true);
    expect(servers.map(({ requests }) => requests.length)).toEqual([1 + ROWS, 1 + ROWS]);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
});

test('a run id that another model server answered is refused', async () => {
  await using server = await openModelServer();
  const { run } = await prepare();
  await answersOf(await run('--run-id', 'mine', '--model-endpoint', server.url));
  const { status, err } = await run('--run-id', 'mine');
  expect(status).toBe(1);
  expect(err).toContain(
    `Run "mine" is answered by ${server.url}, and not by the model itself, or a simulation of it: the answers of two models must not mix. Give another run_id, or leave --model-endpoint and --endpoint-model as they were.`,
  );
});

test('an emulator of another process answers each run as the run says', async () => {
  await using server = await openModelServer();
  const { dir, run } = await prepare();
  const { startEmulatorProcess } = await import('../../support/quarry-process.ts');
  const emulator = await startEmulatorProcess(dir);
  const endpoint = ['--emulator', emulator.url, '--model-endpoint', server.url];
  const served = await run(...endpoint);
  const simulated = await run('--emulator', emulator.url);
  expect(await answersOf(served)).toEqual(shouted());
  expect((await answersOf(simulated))[0]).toContain('[simulated');
  expect(await planId(dir, ...endpoint)).toBe(JSON.parse(served.out).run_id);
  expect(await planId(dir, '--emulator', emulator.url)).toBe(JSON.parse(simulated.out).run_id);
});

/** The run id that a plan names, of the file that runs are of. */
async function planId(dir: string, ...flags: string[]): Promise<string> {
  const { out, err } = await runQuarry(
    ...['plan', join(dir, 'rows.csv'), '--dir', dir, '--json', '--model-id', NOVA],
    ...['--prompt-template', 'Say {name}', ...flags],
  );
  expect(err).toBe('');
  return JSON.parse(out).run_id;
}

test('a plan asks the emulator that a run would use who answers there, as that is part of what the run is called', async () => {
  await using server = await openModelServer();
  const { dir, run } = await prepare();
  const simulated = await planId(dir);
  const { startEmulatorProcess } = await import('../../support/quarry-process.ts');
  const emulator = await startEmulatorProcess(dir, { modelEndpoint: server.url });
  const [named, shared] = [await planId(dir, '--emulator', emulator.url), await planId(dir)];
  expect(server.requests).toEqual([]);
  const { out } = await run('--emulator', emulator.url);
  expect([named, shared]).toEqual([JSON.parse(out).run_id, JSON.parse(out).run_id]);
  expect(named).not.toBe(simulated);
  const { status, err } = await runQuarry(
    ...['plan', join(dir, 'rows.csv'), '--dir', dir, '--model-id', NOVA, '--prompt-template', '{name}'],
    ...['--emulator', 'http://127.0.0.1:9'],
  );
  expect([status, err]).toEqual([
    1,
    expect.stringContaining('There is no Bedrock emulator at http://127.0.0.1:9. Start one: quarry emulate'),
  ]);
});
