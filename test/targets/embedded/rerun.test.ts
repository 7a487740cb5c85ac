import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import { MODEL, openEmulatedTarget, outputRows, runEmulated } from '../../support/emulated-run.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A store with one dataset, in which some records of the first job fail; its emulator counts every answer. */
async function openStore(text: string, fraction = 0.2) {
  const directory = await temporaryDirectory();
  const fault = { kind: 'record-errors', fraction, errorCode: 400, errorMessage: 'No.' } as const;
  const emulated = await openEmulatedTarget({
    directory,
    emulator: { faults: [{ fault, when: { jobs: [1] } }] },
  });
  const stage = async (name: string, content: string) => {
    const path = join(directory, name);
    await writeFile(path, content);
    return (await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 })).uri;
  };
  const s3_uri = await stage(text.startsWith('{') ? 'rows.jsonl' : 'rows.csv', text);
  const run = async (run_id: string, keys: Record<string, unknown> = {}) => {
    const input = { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id, max_attempts: 1 };
    const result = await runEmulated({ ...input, ...keys }, { target: emulated.target, random: () => 0.5 });
    if (result.kind === 'failed') throw new Error(result.message);
    if (result.kind !== 'finished') throw new Error('The run has not finished.');
    return { rows: await outputRows(result, directory), summary: result.summary };
  };
  const answered = async () => {
    const { totals, onDemand } = await emulated.emulator.usage();
    return totals.answered + onDemand.calls;
  };
  return { directory, run, stage, answered, [Symbol.asyncDispose]: () => emulated[Symbol.asyncDispose]() };
}

/** Every name is there twice. */
const NAMES = Array.from({ length: 240 }, (_, row) => `name ${row % 120}`);
const CSV = `name,n\n${NAMES.map((name, row) => `${name},${row}\n`).join('')}`;
const AGAIN = { rerun_of: 'first', rerun_rows: ['failed'] };

test('only rows without an answer are sent again, in whatever words, and the table is whole', async () => {
  await using store = await openStore(CSV);
  const first = await store.run('first');
  const failed = first.rows.filter(({ error_code }) => error_code !== null);
  expect(failed.length).toBeGreaterThan(20);
  const before = await store.answered();
  const again = await store.run('again', { ...AGAIN, prompt_template: 'Sing {name}' });
  expect(again.summary.rows).toEqual({
    total: 240,
    succeeded: 240,
    failed: 0,
    not_sent: 0,
    reused: 240 - failed.length,
  });
  expect(again.rows.map(({ n }) => Number(n))).toEqual(NAMES.map((_, row) => row));
  for (const [row, found] of again.rows.entries()) {
    const former = first.rows[row];
    const isKept = former?.error_code === null;
    // A row whose name another row has a good answer of gets one of its own: it is asked in other words.
    expect(found.response).toBe(
      isKept ? former?.response : simulatedAnswer(MODEL, `Sing ${String(NAMES[row])}`),
    );
    expect(found.reused_from).toBe(isKept ? 'first' : null);
    if (isKept) expect(found.attempts).toBe(0);
  }
  const distinct = new Set(failed.map(({ name }) => name)).size;
  expect((await store.answered()) - before).toBe(distinct);
  // The same again finds the run, and sends nothing.
  await store.run('again', { ...AGAIN, prompt_template: 'Sing {name}' });
  expect((await store.answered()) - before).toBe(distinct);
});

test('a rerun of a rerun says who paid first, and one of a run without a failure sends nothing', async () => {
  await using store = await openStore(CSV, 0.1);
  const first = await store.run('first');
  await store.run('again', AGAIN);
  const paid = await store.answered();
  const third = await store.run('third', {
    rerun_of: 'again',
    rerun_rows: ['failed', 'truncated', 'refused'],
  });
  expect(await store.answered()).toBe(paid);
  expect(third.summary).toMatchObject({ status: 'succeeded', jobs: 0, cost_usd: 0, rows: { reused: 240 } });
  expect(third.rows.map(({ reused_from }) => reused_from)).toEqual(
    first.rows.map(({ error_code }) => (error_code === null ? 'first' : 'again')),
  );
});

test('typed columns, ids of a column and rows that are cut off go through it', async () => {
  await using store = await openStore(CSV);
  const typed = {
    output_schema: { label: 'yes | no', score: 'number 0..1' },
    output_schema_form: 'prompt',
    record_id_column: 'n',
  };
  const first = await store.run('first', typed);
  const { rows, summary } = await store.run('again', { ...AGAIN, ...typed, max_records_per_job: 100 });
  expect(summary.rows).toMatchObject({ total: 240, succeeded: 240 });
  for (const [row, { label, score, error_code }] of first.rows.entries()) {
    if (error_code === null) expect(rows[row]).toMatchObject({ label, score });
    else expect(rows[row]?.label).toMatch(/^(yes|no)$/);
  }
});

test('an answer that was cut off is good unless it is named', async () => {
  await using store = await openStore(CSV, 0);
  const first = await store.run('first', { inference_parameters: { max_tokens: 3 } });
  expect(first.summary.flawed).toMatchObject({ truncated: 240 });
  const more = { inference_parameters: { max_tokens: 500 }, rerun_of: 'first' };
  expect((await store.run('kept', { ...more, rerun_rows: ['failed'] })).summary.rows.reused).toBe(240);
  const { summary } = await store.run('longer', { ...more, rerun_rows: ['truncated'] });
  expect(summary).toMatchObject({ rows: { succeeded: 240, reused: 0 }, flawed: { truncated: 0 } });
});

test('a row whose new prompt lacks a value keeps the answer that it has', async () => {
  const rowOf = (row: number) =>
    JSON.stringify({ name: `name ${row}`, extra: row % 2 === 0 ? 'more' : null });
  await using store = await openStore(Array.from({ length: 120 }, (_, row) => `${rowOf(row)}\n`).join(''));
  const first = await store.run('first');
  const { rows } = await store.run('again', { ...AGAIN, prompt_template: 'Say {name} {extra}' });
  for (const [row, { error_code, response }] of first.rows.entries()) {
    if (error_code === null) expect(rows[row]).toMatchObject({ error_code: null, response });
    else if (row % 2 === 1) expect(rows[row]?.error_code).not.toBeNull();
  }
});

test('a run whose answers could not stand beside new ones is refused, and nothing is sent', async () => {
  await using store = await openStore(CSV, 0);
  await store.run('first', { output_schema: { label: 'yes | no' }, output_schema_form: 'prompt' });
  const paid = await store.answered();
  const refusal = (keys: Record<string, unknown>) => store.run('again', { ...AGAIN, ...keys });
  await expect(refusal({ output_schema: { label: 'yes | no | maybe' } })).rejects.toThrow(
    'rerun_of: run "first" had another output_schema, and its answers would stand beside answers of this one. Leave output_schema as it was.',
  );
  const other = await store.stage('other.csv', `${CSV}more,240\n`);
  await expect(refusal({ s3_uri: other, output_schema: { label: 'yes | no' } })).rejects.toThrow(
    'rerun_of: run "first" was of other files: which of its rows are which is not known.',
  );
  await expect(refusal({ output_schema: { label: 'yes | no' }, output_prefix: 'a_' })).rejects.toThrow(
    'rerun_of: the results of "first" have no column "a_label" of the type VARCHAR, which this run\'s have.',
  );
  await rm(join(store.directory, LOCAL_BUCKET, 'runs/first/summary.json'));
  await expect(refusal({ output_schema: { label: 'yes | no' } })).rejects.toThrow(
    'rerun_of: run "first" has not ended yet, and which of its rows have an answer is known when it has. Go on with it: quarry resume first',
  );
  await expect(refusal({ rerun_of: 'none-such' })).rejects.toThrow('There is no run "none-such".');
  expect(await store.answered()).toBe(paid);
});
