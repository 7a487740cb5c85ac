import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { writeJson } from '../../../src/store/json-object.ts';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MODEL = 'us.amazon.nova-lite-v1:0';

/** A small run, made once by the command line. */
async function smallRun(rows: string, ...args: string[]) {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.jsonl');
  await writeFile(file, rows);
  const dir = join(directory, 'store');
  const outcome = await runQuarry(
    'run',
    file,
    '--model-id',
    MODEL,
    '--dir',
    dir,
    '--run-id',
    'small',
    ...args,
  );
  return { dir, outcome };
}

const THREE = '{"a":"x","n":1}\n{"a":null,"n":2}\n{"a":"z, \\"quoted\\"","n":3}\n';

test('a run prints its ledger, tokens, files and sample rows, and says that the model is simulated', async () => {
  const { dir, outcome } = await smallRun('{"a":"x"}\n{"a":"y"}\n', '--prompt-template', '{a}?');
  expect(outcome.status).toBe(0);
  expect(outcome.out).toMatch(/rows +2\n +answered +2\n +failed +0\n +not sent +0\n/);
  expect(outcome.out).toMatch(/tokens +\d+ in, \d+ out/);
  expect(outcome.out).toContain(join('store', 'quarry-local/runs/small/output/p00001.parquet'));
  expect(outcome.out).toContain('[simulated us.amazon.nova-lite-v1:0]');
  expect(outcome.out).toContain('simulated model');
  expect(outcome.out).toContain(`quarry results small --dir ${dir}`);
  expect(outcome.err).toContain('Plan: run small, 2 rows in 1 part\n');
});

test('a run with rows that have no answer ends with status 2 and the reason', async () => {
  const { outcome } = await smallRun(THREE, '--prompt-template', '{a}');
  expect(outcome.status).toBe(2);
  expect(outcome.out).toContain('Run small: some rows have no answer');
  expect(outcome.out).toContain('NullPromptValue: 1 row, such as r0000000001');
});

test('answers that were cut off are told in the end and by status, and count as failures where they are to', async () => {
  const rows = '{"a":"x"}\n{"a":"y"}\n';
  const cut = ['--prompt-template', '{a}?', '--max-tokens', '5'];
  const { dir, outcome } = await smallRun(rows, ...cut);
  expect(outcome.status).toBe(0);
  expect(outcome.out).toContain('  stopped    2 max_tokens\n  flawed     2 cut off\n');
  expect(outcome.out).toContain(
    '  Warning: 2 answers (100 %) are cut off. Raise inference_parameters.max_tokens',
  );
  const status = await runQuarry('status', 'small', '--dir', dir);
  expect(status.out).toContain('  flawed     2 cut off\n');
  const json = await runQuarry('status', 'small', '--dir', dir, '--json');
  expect(JSON.parse(json.out)).toMatchObject({
    status: 'succeeded',
    stop_reasons: [{ stop_reason: 'max_tokens', rows: 2, empty: 0 }],
    flawed: { truncated: 2, refused: 0, empty: 0 },
  });

  const failing = await smallRun(rows, ...cut, '--fail-on', 'truncated,empty');
  expect(failing.outcome.status).toBe(2);
  expect((await smallRun(rows, ...cut, '--fail-on', 'refused, empty')).outcome.status).toBe(0);
  const wrong = await smallRun(rows, ...cut, '--fail-on', 'short');
  expect(wrong.outcome.status).toBe(1);
  expect(wrong.outcome.err).toContain('fail_on.0: use truncated, refused or empty');
});

test('what counts as a failure decides no answer: a finished run is judged anew, and nothing is sent again', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.jsonl');
  await writeFile(file, '{"a":"x"}\n');
  const run = (...more: string[]) =>
    runQuarry(
      ...['run', file, '--model-id', MODEL, '--dir', join(directory, 'store'), '--run-id', 'judged'],
      ...['--prompt-template', '{a}', '--max-tokens', '5', '--json', ...more],
    );
  const first = await run();
  const judged = await run('--fail-on', 'truncated');
  expect([first.status, judged.status]).toEqual([0, 2]);
  expect(judged.out).toBe(first.out);
});

test('--json prints the summary alone, with paths of Parquet files that others can read', async () => {
  const { outcome } = await smallRun(THREE, '--prompt-template', '{a}', '--json');
  const summary = JSON.parse(outcome.out);
  expect(summary).toMatchObject({
    run_id: 'small',
    status: 'partly_succeeded',
    rows: { total: 3, succeeded: 2, failed: 0, not_sent: 1 },
    tokens: { input: expect.any(Number), output: expect.any(Number) },
    jobs: 0,
    on_demand_records: 2,
    simulated: true,
  });
  const [path] = summary.output_paths;
  const { buffer } = new Uint8Array(await readFile(path));
  const rows = await parquetReadObjects({ file: buffer });
  expect(rows.map(({ n, attempts }) => [n, attempts])).toEqual([
    ['1', 1],
    ['2', 0],
    ['3', 1],
  ]);
});

test('results come as a table, JSON lines or CSV, all of them or only the failed ones', async () => {
  const { dir } = await smallRun(THREE, '--prompt-template', '{a}');
  const results = (...args: string[]) => runQuarry('results', 'small', '--dir', dir, ...args);
  expect((await results()).out).toContain('z, "quoted"\n');
  const lines = (await results('--format', 'jsonl')).out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ n }) => n)).toEqual(['1', '2', '3']);
  const csv = (await results('--format', 'csv', '--head', '1')).out.split('\n');
  expect(csv[0]).toBe(
    'a,n,response,record_id,error_code,error_message,stop_reason,input_tokens,output_tokens,attempts',
  );
  expect(csv).toHaveLength(3);
  const failed = (await results('--failed', '--format', 'jsonl')).out.trimEnd().split('\n');
  expect(failed.map((line) => JSON.parse(line).error_code)).toEqual(['NullPromptValue']);
  expect((await results('--head', '0')).err).toContain('Give a whole number from 1.');
});

test('results are put into a folder of their own, whole, by results --download and run --output', async () => {
  const { dir } = await smallRun(THREE, '--prompt-template', '{a}');
  const folder = join(dir, 'downloaded');
  const download = (run = 'small') => runQuarry('results', run, '--dir', dir, '--download', folder);
  expect((await download()).out).toBe(`1 Parquet file in ${folder}\n`);
  // Once more, over itself.
  expect((await download()).status).toBe(0);
  expect((await readdir(folder)).sort()).toEqual(['_summary.json', 'p00001.parquet']);
  const { buffer } = new Uint8Array(await readFile(join(folder, 'p00001.parquet')));
  expect(await parquetReadObjects({ file: buffer })).toHaveLength(3);

  const file = join(dir, 'rows.jsonl');
  await writeFile(file, THREE);
  const flags = ['--model-id', MODEL, '--prompt-template', '{a}', '--dir', dir];
  const other = await runQuarry('run', file, ...flags, '--run-id', 'other', '--output', folder);
  expect(other.status).toBe(1);
  expect(other.err).toContain(`"${folder}" has the results of run small. Name another folder`);
  const taken = await runQuarry('run', file, ...flags, '--output', dir);
  expect(taken.err).toContain(`"${dir}" is not empty. Name an empty folder for the results.`);
  const here = await runQuarry('run', file, ...flags, '--output', file);
  expect(here.err).toContain(
    `"${file}" is there already. Name another file for the results, or move it away.`,
  );
  const own = join(dir, 'own');
  const { out } = await runQuarry('run', file, ...flags, '--output', own, '--json');
  expect(JSON.parse(out).output_paths).toEqual([join(own, 'p00001.parquet')]);
  expect(existsSync(join(own, 'p00001.parquet'))).toBe(true);
});

test('status and runs tell of finished and unfinished runs, and --json beside them', async () => {
  const { dir } = await smallRun(THREE, '--prompt-template', '{a}');
  expect((await runQuarry('status', 'small', '--dir', dir)).out).toMatch(/answered +2/);
  expect(JSON.parse((await runQuarry('status', 'small', '--dir', dir, '--json')).out)).toMatchObject({
    status: 'partly_succeeded',
  });
  expect(JSON.parse((await runQuarry('runs', '--dir', dir, '--json')).out)).toMatchObject([
    { run_id: 'small', status: 'partly_succeeded', rows: 3, answered: 2 },
  ]);
  const store = createDirectoryStore(dir);
  await store.delete('s3://quarry-local/runs/small/summary.json');
  expect((await runQuarry('status', 'small', '--dir', dir)).out).toContain('Run small has not ended.');
  const statusOf = async () => JSON.parse((await runQuarry('runs', '--dir', dir, '--json')).out)[0].status;
  expect(await statusOf()).toBe('stopped');
  const failure = { error: 'DiskFullError', message: 'It was full.', failed_at: '2026-01-01T00:00:00.000Z' };
  await writeJson(store, 's3://quarry-local/runs/small/failure.json', failure);
  expect(await statusOf()).toBe('failed');
  expect((await runQuarry('status', 'small', '--dir', dir)).out).toContain(
    'It failed at 2026-01-01T00:00:00.000Z. It was full. (DiskFullError)',
  );
  expect(JSON.parse((await runQuarry('status', 'small', '--dir', dir, '--json')).out)).toMatchObject({
    status: 'failed',
    process: null,
    failure,
  });
  await writeJson(store, 's3://quarry-local/runs/small/cancel.json', {});
  expect(await statusOf()).toBe('cancelled');
  const { status, err } = await runQuarry('results', 'small', '--dir', dir);
  expect(status).toBe(1);
  expect(err).toContain('Run "small" has not ended yet.');
});

test('a run that is damaged hides no other: it is listed as such, with the file and what to do', async () => {
  const { dir } = await smallRun(THREE, '--prompt-template', '{a}');
  const file = join(dir, 'rows.jsonl');
  await writeFile(file, THREE);
  const flags = ['--model-id', MODEL, '--prompt-template', 'Say {a}', '--dir', dir];
  await runQuarry('run', file, ...flags, '--run-id', 'other');
  const plan = join(dir, 'quarry-local/runs/other/plan.json');
  await writeFile(plan, '{"run_id":');
  const { status, out } = await runQuarry('runs', '--dir', dir);
  expect(status).toBe(0);
  expect(out).toMatch(/small[\s\S]*partly_succeeded[\s\S]*other[\s\S]*damaged/);
  expect(out).toContain(
    `\n${plan} is damaged: it should be the plan of a run, and it breaks off after 10 bytes. Delete it and start the run again`,
  );
  const json = JSON.parse((await runQuarry('runs', '--dir', dir, '--json')).out);
  expect(json).toMatchObject([
    { run_id: 'small', status: 'partly_succeeded' },
    { run_id: 'other', status: 'damaged', rows: null, fault: expect.stringContaining(plan) },
  ]);
});

test('a run that is not there is refused with the nearest ones', async () => {
  const { dir } = await smallRun(THREE, '--prompt-template', '{a}');
  const { status, err } = await runQuarry('status', 'smel', '--dir', dir);
  expect(status).toBe(1);
  expect(err).toContain('There is no run "smel". Runs here, the nearest first: small.');
  const empty = await temporaryDirectory();
  expect((await runQuarry('results', 'x', '--dir', empty)).err).toContain('there are no runs here yet');
  expect((await runQuarry('runs', '--dir', empty)).out).toContain('There are no runs in');
});

test('a run is meant by the beginning of its name, and the newest one by no name', async () => {
  const { dir } = await smallRun(THREE, '--prompt-template', '{a}');
  const file = join(dir, 'rows.jsonl');
  await writeFile(file, THREE);
  const flags = ['--model-id', MODEL, '--prompt-template', 'Say {a}', '--dir', dir];
  expect((await runQuarry('run', file, ...flags, '--run-id', 'smooth')).status).toBe(2);
  const idOf = async (...args: string[]) =>
    JSON.parse((await runQuarry('status', ...args, '--dir', dir, '--json')).out).run_id;
  expect(await idOf('sma')).toBe('small');
  expect(await idOf('smo')).toBe('smooth');
  expect(await idOf()).toBe('smooth');
  expect((await runQuarry('resume', 'small', '--dir', dir)).status).toBe(2);
  expect(await idOf()).toBe('small');
  expect((await runQuarry('results', '--dir', dir)).out).toBe(
    (await runQuarry('results', 'small', '--dir', dir)).out,
  );
  const { status, err } = await runQuarry('results', 'sm', '--dir', dir);
  expect(status).toBe(1);
  expect(err).toContain(
    'Error: Several runs begin with "sm": small, smooth. Write more of the one that you mean.',
  );
  const empty = await temporaryDirectory();
  expect((await runQuarry('cancel', '--dir', empty)).err).toContain('There are no runs here yet.');
});

test('flags override the keys of a run input, and every key has one', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'rows.jsonl'), THREE);
  await writeFile(
    join(directory, 'run.json'),
    JSON.stringify({
      s3_uri: 's3://none/none',
      model_id: 'x.y',
      prompt_template: 'no',
      run_id: 'a',
      max_records: 1,
    }),
  );
  const { out } = await runQuarry(
    ...[
      'run',
      join(directory, 'rows.jsonl'),
      '--input',
      join(directory, 'run.json'),
      '--dir',
      directory,
      '--json',
    ],
    ...['--model-id', MODEL, '--prompt-template', '{a}', '--run-id', 'b', '--max-tokens', '7'],
    ...['--stop-sequence', 'END', '--temperature', '0.5'],
  );
  expect(JSON.parse(out)).toMatchObject({
    run_id: 'b',
    rows: { total: 1 },
    input: {
      model_id: MODEL,
      max_records: 1,
      inference_parameters: { max_tokens: 7, temperature: 0.5, stop_sequences: ['END'] },
    },
  });
});

test('the documents of the AWS sample run unchanged', async () => {
  const directory = await temporaryDirectory();
  const store = createDirectoryStore(directory);
  const bucket = 's3://batch-inference-bucket-111122223333';
  await store.write(`${bucket}/inputs/jokes/topics.csv` as `s3://${string}`, 'topic\ncats\ndogs\n');
  await store.write(`${bucket}/inputs/embeddings/texts.csv` as `s3://${string}`, 'input_text\ncats\n');
  const documents = [
    {
      s3_uri: `${bucket}/inputs/jokes/topics.csv`,
      job_name_prefix: 'joke-generation',
      model_id: 'anthropic.claude-3-haiku-20240307-v1:0',
      prompt_id: 'joke_about_topic',
    },
    {
      s3_uri: `${bucket}/inputs/embeddings/texts.csv`,
      job_name_prefix: 'text-embeddings',
      model_id: 'amazon.titan-embed-text-v2:0',
      prompt_id: null,
    },
  ];
  for (const document of documents) {
    const input = join(directory, 'run.json');
    await writeFile(input, JSON.stringify(document));
    const { status, out } = await runQuarry('run', '--input', input, '--dir', directory, '--json');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'succeeded', input: { model_id: document.model_id } });
  }
});
