import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import {
  type EmulatedTarget,
  MODEL,
  openEmulatedTarget,
  outputRows,
  runEmulated,
} from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

/** Runs one dataset after the other in one store, whose emulator counts every answer. */
async function openStore(options: Partial<Parameters<typeof openEmulatedTarget>[0]> = {}) {
  const directory = await temporaryDirectory();
  const emulated = await openEmulatedTarget({ directory, ...options });
  const run = async (names: readonly string[], keys: Record<string, unknown> = {}) =>
    runNames(names, emulated, { directory, keys });
  const answered = async () => {
    const { totals, onDemand } = await emulated.emulator.usage();
    return totals.answered + onDemand.calls;
  };
  return {
    directory,
    emulated,
    run,
    answered,
    [Symbol.asyncDispose]: () => emulated[Symbol.asyncDispose](),
  };
}

let runs = 0;

async function runNames(
  names: readonly string[],
  { target }: EmulatedTarget,
  { directory, keys }: { directory: string; keys: Record<string, unknown> },
) {
  runs += 1;
  const path = join(directory, `names-${runs}.csv`);
  await writeFile(path, `name,n\n${names.map((name, row) => `${name},${row}\n`).join('')}`);
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = {
    s3_uri,
    model_id: MODEL,
    prompt_template: 'Say {name}',
    run_id: `run-${runs}`,
    reuse: true,
  };
  const result = await runEmulated({ ...input, ...keys }, { target, random: () => 0.5 });
  const rows = await outputRows(result, directory);
  if (result.kind !== 'finished') throw new Error('The run has not finished.');
  return { rows, summary: result.summary, runId: input.run_id };
}

function namesOf(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, row) => `name ${from + row}`);
}

test('what a former run has paid for is taken from it, and only new requests are sent', async () => {
  await using store = await openStore();
  const first = await store.run(namesOf(0, 250), { max_records_per_job: 100 });
  expect(await store.answered()).toBe(250);
  expect(first.summary.rows).toEqual({ total: 250, succeeded: 250, failed: 0, not_sent: 0, reused: 0 });
  const grown = ['name 7', ...namesOf(100, 400), 'name 399', 'name 7'];
  const second = await store.run(grown, { max_records_per_job: 100 });
  expect(await store.answered()).toBe(400);
  expect(second.summary).toMatchObject({
    status: 'succeeded',
    duplicates: 1,
    rows: { total: 303, succeeded: 303, failed: 0, not_sent: 0, reused: 152 },
  });
  expect(second.rows).toHaveLength(303);
  for (const [index, row] of second.rows.entries()) {
    const name = String(grown[index]);
    expect([row.name, row.response]).toEqual([name, simulatedAnswer(MODEL, `Say ${name}`)]);
    const isReused = Number(name.slice(5)) < 250;
    expect([row.attempts, row.reused_from]).toEqual(isReused ? [0, first.runId] : [1, null]);
    if (isReused) expect(Number(row.input_tokens)).toBeGreaterThan(0);
  }
  const paid = second.rows.filter(({ reused_from }) => reused_from === null);
  expect(paid.reduce((sum, row) => sum + Number(row.input_tokens ?? 0), 0)).toBe(second.summary.tokens.input);
});

test('a run whose every row is answered sends nothing and costs nothing', async () => {
  await using store = await openStore();
  await store.run(namesOf(0, 120));
  await rm(join(store.directory, LOCAL_BUCKET, 'runs'), { recursive: true });
  const again = await store.run(namesOf(0, 120).toReversed());
  expect(await store.answered()).toBe(120);
  expect(again.summary).toMatchObject({
    status: 'succeeded',
    jobs: 0,
    cost_usd: 0,
    tokens: { input: 0, output: 0 },
    rows: { total: 120, succeeded: 120, failed: 0, not_sent: 0, reused: 120 },
  });
  expect(again.rows.map(({ response }) => response)).toEqual(
    namesOf(0, 120)
      .toReversed()
      .map((name) => simulatedAnswer(MODEL, `Say ${name}`)),
  );
});

test('another prompt, another parameter or another model is another request', async () => {
  await using store = await openStore();
  await store.run(namesOf(0, 110));
  const other = { prompt_template: 'Sing {name}' };
  const hotter = { inference_parameters: { temperature: 0.7 } };
  const model = { model_id: 'us.amazon.nova-lite-v1:0' };
  for (const [at, keys] of [other, hotter, model].entries()) {
    const { summary } = await store.run(namesOf(0, 110), keys);
    expect(summary.rows.reused).toBe(0);
    expect(await store.answered()).toBe(110 * (at + 2));
  }
  // The model behind a profile is the same wherever it is asked from.
  const { summary } = await store.run(namesOf(0, 110), { model_id: MODEL.replace('us.', 'eu.') });
  expect(summary.rows.reused).toBe(110);
});

test('a row that failed is asked again, and only it', async () => {
  const fault = { kind: 'record-errors', fraction: 0.2, errorCode: 400, errorMessage: 'No.' } as const;
  await using store = await openStore({ emulator: { faults: [{ fault, when: { jobs: [1] } }] } });
  const first = await store.run(namesOf(0, 150));
  const failed = first.rows.filter(({ error_code }) => error_code !== null);
  expect(failed.length).toBeGreaterThan(5);
  const second = await store.run(namesOf(0, 150));
  const sent = second.rows.filter(({ reused_from }) => reused_from === null);
  expect(sent.map(({ name }) => name)).toEqual(failed.map(({ name }) => name));
  expect(second.summary.status).toBe('succeeded');
});

/** The files of kept answers, as paths. */
async function answerFiles(directory: string): Promise<string[]> {
  const root = join(directory, LOCAL_BUCKET, 'answers');
  const paths = await readdir(root, { recursive: true });
  return paths
    .filter((path) => path.endsWith('.parquet'))
    .map((path) => join(root, path))
    .toSorted();
}

test('answers that are damaged or lost are told of, and paid for again; none is wrong', async () => {
  await using store = await openStore();
  const names = namesOf(0, 600);
  const keys = { max_records_per_job: 200, min_records_per_job_spread: 100_000, pilot: false };
  await store.run(names, keys);
  const [cut = '', flipped = '', gone = ''] = await answerFiles(store.directory);
  await writeFile(cut, (await readFile(cut)).subarray(0, -100));
  await rm(gone);
  const bytes = await readFile(flipped);
  // In the middle of the answers' texts, which stand as they are in Snappy's literals.
  const at = bytes.indexOf('name 2', Math.floor(bytes.length / 4));
  bytes.write('nAme', at);
  await writeFile(flipped, bytes);
  const { rows, summary } = await store.run(names, { ...keys, max_records_per_job: 250 });
  for (const row of rows) expect(row.response).toBe(simulatedAnswer(MODEL, `Say ${String(row.name)}`));
  const reused = summary.rows.reused ?? 0;
  expect(reused).toBeLessThan(200);
  expect(await store.answered()).toBe(600 + 600 - reused);
  expect(summary.notes.join('\n')).toContain(
    `/${basename(cut)} cannot be read, and its answers count as lost: `,
  );
});

test('typed columns come of the kept answers', async () => {
  await using store = await openStore();
  const wide = { label: 'yes | no | maybe', score: 'number' };
  const typed = { output_schema_form: 'prompt', prompt_template: 'Say {name}' };
  const first = await store.run(namesOf(0, 120), { ...typed, output_schema: wide });
  const again = await store.run(namesOf(0, 121), { ...typed, output_schema: wide, output_prefix: 'a_' });
  expect(again.summary.rows.reused).toBe(120);
  expect(again.rows.slice(0, 120).map(({ a_label, a_score }) => [a_label, a_score])).toEqual(
    first.rows.map(({ label, score }) => [label, score]),
  );
});
