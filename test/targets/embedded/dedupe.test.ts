import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { simulatedAnswer } from '../../../src/emulator/models/simulated-model.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { LOCAL_BUCKET, sha256 } from '../../../src/targets/local/local-target.ts';
import { stageDataset } from '../../../src/targets/local/stage-dataset.ts';
import {
  type EmulatedOptions,
  MODEL,
  openEmulatedTarget,
  outputRows,
  runEmulated,
} from '../../support/emulated-run.ts';
import { readStored } from '../../support/stored-document.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A word for each row: 290 different ones, most of them many times, some in one part only, some in all. */
function wordOf(row: number): string {
  if (row % 7 === 0) return 'everywhere';
  if (row % 11 === 0) return `early ${row % 5}`;
  return `word ${(row * row) % 601}, "quoted"`;
}

async function dedupedRun(
  file: { name: string; write: (path: string) => Promise<void> },
  keys: Record<string, unknown> = {},
  emulator: NonNullable<EmulatedOptions['emulator']> = {},
) {
  const directory = await temporaryDirectory();
  const path = join(directory, file.name);
  await file.write(path);
  await using emulated = await openEmulatedTarget({ directory, emulator });
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'deduped', dedupe: true };
  const result = await runEmulated(
    { ...input, max_records_per_job: 100, ...keys },
    { target: emulated.target, random: () => 0.5 },
  );
  const rows = await outputRows(result, directory);
  if (result.kind !== 'finished') throw new Error('The run has not finished.');
  return { rows, summary: result.summary, usage: await emulated.emulator.usage() };
}

function csvOf(rows: number) {
  return {
    name: 'rows.csv',
    write: (path: string) =>
      writeFile(
        path,
        `name,n\n${Array.from({ length: rows }, (_, row) => `"${wordOf(row).replaceAll('"', '""')}",${row}\n`).join('')}`,
      ),
  };
}

function distinctOf(rows: number): number {
  return new Set(Array.from({ length: rows }, (_, row) => wordOf(row))).size;
}

function expectAnswers(rows: readonly Record<string, unknown>[], count: number): void {
  expect(rows).toHaveLength(count);
  for (const [index, row] of rows.entries()) {
    expect(Number(row.n)).toBe(index);
    expect(row.record_id).toBe(`r${String(index).padStart(10, '0')}`);
    if (row.response !== simulatedAnswer(MODEL, `Say ${wordOf(index)}`)) {
      throw new Error(`Row ${index} has ${JSON.stringify(row)}`);
    }
    expect([row.error_code, row.attempts]).toEqual([null, 1]);
  }
}

test('identical requests are sent once, over all parts, and every row has the answer', async () => {
  const { rows, summary, usage } = await dedupedRun(csvOf(3000));
  const distinct = distinctOf(3000);
  expectAnswers(rows, 3000);
  expect(summary).toMatchObject({
    status: 'succeeded',
    duplicates: 3000 - distinct,
    rows: { total: 3000, succeeded: 3000, failed: 0, not_sent: 0 },
  });
  expect(usage.totals.answered + usage.onDemand.calls).toBe(distinct);
  expect(usage.tracked?.bodiesAnsweredMoreThanOnce).toEqual([]);
  // Only what was paid for has tokens.
  expect(rows.filter(({ input_tokens }) => input_tokens !== null)).toHaveLength(distinct);
  expect(rows.reduce((sum, row) => sum + Number(row.input_tokens ?? 0), 0)).toBe(summary.tokens.input);
});

test('answers of repaired records reach all their rows, and one that fails for good fails all of them', async () => {
  const { rows, summary } = await dedupedRun(
    csvOf(3000),
    { max_attempts: 3 },
    {
      faults: [
        { fault: { kind: 'record-errors', fraction: 0.3, errorCode: 503, firstAttemptOnly: true } },
        { fault: { kind: 'record-errors', recordIds: ['r0000000001'], errorCode: 400, errorMessage: 'No.' } },
      ],
    },
  );
  expectOneOutcomeForEach(rows);
  const refused = rows.filter(({ name }) => name === wordOf(1));
  expect(refused.length).toBeGreaterThan(1);
  for (const { response, error_code } of refused) expect([response, error_code]).toEqual([null, '400']);
  expect(summary).toMatchObject({
    rows: { total: 3000, succeeded: 3000 - refused.length, failed: refused.length, not_sent: 0 },
  });
  expect(summary.waves).toBeGreaterThan(2);
  for (const { name, response } of rows) {
    if (name !== wordOf(1)) expect(response).toBe(simulatedAnswer(MODEL, `Say ${name}`));
  }
});

/** Equal requests have equal outcomes. */
function expectOneOutcomeForEach(rows: readonly Record<string, unknown>[]): void {
  const outcomes = new Map<string, string>();
  for (const { name, response, error_code, attempts } of rows) {
    const outcome = JSON.stringify([response, error_code, attempts]);
    expect(outcomes.get(String(name)) ?? outcome).toBe(outcome);
    outcomes.set(String(name), outcome);
  }
}

test('dedupe works with ids of a column, in Parquet, where a prompt is null, and for the first rows only', async () => {
  const { rows, summary } = await dedupedRun(
    {
      name: 'rows.parquet',
      write: async (path) => {
        await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: join(path, '..') });
        await db.run(`COPY (SELECT 'id-' || (9999 - range) AS code, range AS n, CASE WHEN range % 10 = 3 THEN NULL ELSE 'name ' || (range % 200) END AS name, range AS place
          FROM range(2000)) TO ${sqlText(path)} (FORMAT PARQUET, ROW_GROUP_SIZE 2048)`);
      },
    },
    { record_id_column: 'code', max_records: 1500 },
  );
  expect(summary).toMatchObject({
    status: 'partly_succeeded',
    duplicates: 1500 - 150 - 180,
    rows: { total: 1500, succeeded: 1350, failed: 0, not_sent: 150 },
  });
  for (const [index, row] of rows.entries()) {
    expect([row.code, row.place]).toEqual([`id-${9999 - index}`, index]);
    if (index % 10 === 3) expect(row.error_code).toBe('NullPromptValue');
    else expect(row.response).toBe(simulatedAnswer(MODEL, `Say name ${index % 200}`));
  }
});

test('without identical requests dedupe changes nothing', async () => {
  const { rows, summary } = await dedupedRun({
    name: 'rows.csv',
    write: (path) =>
      writeFile(path, `name,n\n${Array.from({ length: 150 }, (_, row) => `name ${row},${row}\n`).join('')}`),
  });
  expect(rows).toHaveLength(150);
  expect(summary).toMatchObject({ status: 'succeeded', duplicates: 0 });
});

test('a run with dedupe that an older version planned is refused, not miscounted', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'rows.csv');
  await csvOf(300).write(path);
  await using emulated = await openEmulatedTarget({ directory });
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'old', dedupe: true };
  const run = () => runEmulated(input, { target: emulated.target, random: () => 0.5 });
  expect(await run()).toMatchObject({ kind: 'finished' });
  const calls = (await emulated.emulator.usage()).onDemand.calls;
  const planPath = join(directory, LOCAL_BUCKET, 'runs/old/plan.json');
  const plan = await readStored(planPath);
  expect(plan).toMatchObject({ format_version: 3, quarry_version: '0.0.0' });
  await writeFile(planPath, JSON.stringify({ ...plan, format_version: 1 }));
  await rm(join(directory, LOCAL_BUCKET, 'runs/old/summary.json'));
  expect(await run()).toMatchObject({
    kind: 'failed',
    error: 'RunConflictError',
    message:
      'Run "old" was planned by Quarry 0.0.0 with dedupe, and this version cannot go on with it. Finish it with that version, or start it under another run_id.',
  });
  expect((await emulated.emulator.usage()).onDemand.calls).toBe(calls);
});

test('rows tell what they ask, and by which record they are answered', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'rows.csv');
  await writeFile(path, 'name,n\na,0\nb,1\na,2\n');
  await using emulated = await openEmulatedTarget({ directory });
  const { uri: s3_uri } = await stageDataset(path, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  const input = { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'few', dedupe: true };
  await runEmulated(input, { target: emulated.target, random: () => 0.5 });
  const working = join(directory, LOCAL_BUCKET, 'working/few/parts/p00001');
  await using db = await openDuckDb({ memoryMb: 128, threads: 1, scratchDirectory: directory });
  const rows = await db.rows(
    `SELECT lower(hex(__quarry_request_hash)) AS hash, __quarry_answered_by AS "by", __quarry_error_code AS code FROM ${sqlText(join(working, 'rows.parquet'))}`,
  );
  const [first = ''] = (await readFile(join(working, 'records.jsonl'), 'utf8')).split('\n');
  const body = first.slice('{"recordId":"r0000000000","modelInput":'.length, -1);
  const asked = sha256(`simulated\n${MODEL.replace('us.', '')}\nInvokeModel\n${body}`);
  expect(rows).toEqual([
    { hash: asked, by: null, code: null },
    { hash: expect.not.stringMatching(asked), by: null, code: null },
    { hash: asked, by: 'r0000000000', code: null },
  ]);
});
