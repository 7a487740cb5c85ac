import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FLAGS = ['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{a}?', '--no-pilot'];

/** A CSV file of so many rows, and a store beside it. */
async function dataset(rows: number): Promise<{ file: string; store: string }> {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `a\n${Array.from({ length: rows }, (_, index) => index).join('\n')}\n`);
  return { file, store: join(directory, 'store') };
}

test('a plan shows rows, price and the schedule beside the one of full parts, and makes no run', async () => {
  const { file, store } = await dataset(250_000);
  const { out, status } = await runQuarry(
    ...['plan', file, '--dir', store, ...FLAGS, '--max-records-per-job', '1000', '--max-tokens', '100'],
  );
  expect(status).toBe(0);
  expect(out).toMatch(
    /rows +250,000\n +on demand +0\n +input +about [\d,]+ tokens, \$0\.\d+, counted on 200 rows by the tokenizer o200k, which is up to 35 % off for this model\n/,
  );
  expect(out).toMatch(
    /answers +at most 25,000,000 tokens, if every row is sent once\n +cost +nothing here; at Bedrock about \$3\.\d\d with the longest answers, by prices of \d{4}-\d\d-\d\d: an estimate\n/,
  );
  expect(out).toMatch(/jobs +│ 300 +│ 250 +│/);
  expect(out).toMatch(/records per job +│ 833 to 834 +│ 1,000 +│/);
  expect(out).toMatch(/rounds of 100 +│ 3 +│ 3 +│/);
  expect(out).toMatch(/jobs end after +│ 27 min 1 s +│ 32 min 23 s +│/);
  expect(out).toContain('Nothing was sent and nothing was paid.');
  expect(await readdir(join(store, 'quarry-local')).catch(() => [])).toEqual([]);
});

test('a plan shows what a run costs at least, as expected and at most, and what it would cost on demand', async () => {
  const { file, store } = await dataset(1_000);
  const args = ['plan', file, '--dir', store, ...FLAGS, '--max-tokens', '1000'];
  const { out } = await runQuarry(...args, '--expect-output-tokens', '100');
  expect(out).toMatch(
    /cost +nothing here; at Bedrock about \$\d+\.\d+ with the longest answers, .*\n +expected about \$0\.\d+, with 100,000 tokens of answers as you expect them; at least \$0\.\d+, for the input\n +beside +about \$\d+\.\d+ with the longest answers, were every row sent on demand\n/,
  );
  const plain = (await runQuarry(...args)).out;
  expect(plain).not.toContain('expected about');
  // What it is called: the tokens are not known before, and rows may have to be sent again.
  expect(plain).toContain(': an estimate');
  expect(plain).not.toMatch(/at most \$/);
  const wrong = await runQuarry(...args, '--expect-output-tokens', '0');
  expect(wrong.status).toBe(1);
  expect(wrong.err).toContain('expect_output_tokens');
  expect(
    JSON.parse((await runQuarry(...args, '--expect-output-tokens', '100', '--json')).out).estimate,
  ).toMatchObject({
    expected: { output_tokens: 100_000, usd: expect.any(Number) },
    on_demand_usd: expect.any(Number),
  });
});

test('a plan expects answers like those of an earlier run of the same prompt, and tells how they fared', async () => {
  const [first, second] = [await dataset(120), await dataset(300)];
  const schema = ['--output-schema', '{"mood": "good | bad", "why": "string"}'];
  const args = [...FLAGS, ...schema, '--dir', first.store];
  const before = JSON.parse((await runQuarry('plan', second.file, ...args, '--json')).out);
  expect(before).toMatchObject({ earlier_run: null, expected_by: null });
  const { run_id, tokens } = JSON.parse((await runQuarry('run', first.file, ...args, '--json')).out);

  const plan = JSON.parse((await runQuarry('plan', second.file, ...args, '--json')).out);
  const each = tokens.output / 120;
  expect(plan).toMatchObject({
    earlier_run: { run_id, answers: 120, output_tokens_each: each, checked: 120, violations: [] },
    expected_by: 'earlier_run',
    estimate: { expected: { input_tokens: expect.any(Number), output_tokens: Math.round(300 * each) } },
  });
  const { input_usd: low, max_usd: most, expected } = plan.estimate;
  expect(low < expected.usd && expected.usd < most).toBe(true);
  const { out } = await runQuarry('plan', second.file, ...args);
  expect(out).toContain(`of answers from 120 answers of run ${run_id}; at least $`);
  expect(out).toContain(`  earlier    of 120 answers of run ${run_id}, none had a property wrong\n`);

  // Another prompt is another matter, and the user's own word comes first.
  const other = [...args, '--system-prompt', 'Be brief.', '--json'];
  expect(JSON.parse((await runQuarry('plan', second.file, ...other)).out).earlier_run).toBeNull();
  const told = [...args, '--expect-output-tokens', '7', '--json'];
  expect(JSON.parse((await runQuarry('plan', second.file, ...told)).out)).toMatchObject({
    expected_by: 'told',
    estimate: { expected: { output_tokens: 2100 } },
  });
});

test('a plan under other jobs in flight and another pace ends at another time', async () => {
  const { file, store } = await dataset(1000);
  const { out } = await runQuarry(
    ...['plan', file, '--dir', store, ...FLAGS, '--max-records-per-job', '100', '--json'],
    ...['--jobs-in-flight', '4', '--records-per-hour', '50'],
  );
  const report = JSON.parse(out);
  expect(report).toMatchObject({ rows: 1000, dataset_rows: 1000, on_demand_rows: 0, parts: 10, slices: 1 });
  expect(report.schedule).toMatchObject({
    jobs_in_flight: 4,
    records_per_hour: 50,
    balanced: { jobs: 10, smallest: 100, largest: 100, rounds: 3, hours: 6 },
    full: { jobs: 10, rounds: 3, hours: 6 },
  });
});

test('a plan counts the pilot, which runs alone before the others', async () => {
  const { file, store } = await dataset(1000);
  const { out } = await runQuarry(
    ...['plan', file, '--dir', store, ...FLAGS.slice(0, -1), '--max-records-per-job', '100', '--json'],
    ...['--jobs-in-flight', '4', '--records-per-hour', '50'],
  );
  expect(JSON.parse(out).schedule).toMatchObject({
    balanced: { jobs: 10, smallest: 100, largest: 100, rounds: 4, hours: 8 },
    full: { jobs: 10, rounds: 3, hours: 6 },
  });
});

test('a small pilot of large parts hardly moves the end', async () => {
  const { file, store } = await dataset(20_500);
  const { out } = await runQuarry(
    ...['plan', file, '--dir', store, ...FLAGS.slice(0, -1), '--max-records-per-job', '5000', '--json'],
    ...['--jobs-in-flight', '4', '--records-per-hour', '1000', '--min-records-per-job-spread', '5000'],
  );
  expect(JSON.parse(out).schedule).toMatchObject({
    balanced: { jobs: 5, smallest: 500, largest: 5000, rounds: 2, hours: 5.5 },
    full: { jobs: 5, rounds: 2, hours: 5.5 },
  });
});

test('a plan fills the slots that would be idle, and shows how much sooner that ends', async () => {
  const { file, store } = await dataset(300_000);
  const { schedule } = JSON.parse((await runQuarry('plan', file, '--dir', store, ...FLAGS, '--json')).out);
  const { jobs_in_flight: slots, balanced, full } = schedule;
  expect(balanced).toMatchObject({
    jobs: slots,
    smallest: 300_000 / slots,
    largest: 300_000 / slots,
    rounds: 1,
  });
  expect(full.hours / balanced.hours).toBeGreaterThan(3);
  const few = await runQuarry('plan', file, '--dir', store, ...FLAGS, '--min-records-per-job-spread', '0');
  expect(few.err).toContain('min_records_per_job_spread');
  expect(few.status).toBe(1);
});

test('a plan notes what becomes of a prefix that no job may have', async () => {
  const { file, store } = await dataset(5);
  const { out } = await runQuarry('plan', file, '--dir', store, ...FLAGS, '--job-name-prefix', 'my jobs_1');
  expect(out).toContain(
    'Note: job_name_prefix "my jobs_1" is taken as "my-jobs-1": Bedrock allows no "_" and no blank in the name of a job.',
  );
});

test('a plan says how many rows get the answer of an identical request', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `a\n${Array.from({ length: 500 }, (_, index) => index % 200).join('\n')}\n`);
  const args = ['plan', file, '--dir', join(directory, 'store'), ...FLAGS, '--dedupe'];
  const { out } = await runQuarry(...args, '--json');
  expect(JSON.parse(out)).toMatchObject({
    rows: 500,
    duplicates: 300,
    schedule: { balanced: { largest: 200 } },
  });
  expect((await runQuarry(...args)).out).toContain(
    'not sent   300, because identical requests are sent once',
  );
});

test('a plan shows the columns of an output_schema, both of its forms, and how the model is told', async () => {
  const { file, store } = await dataset(5);
  const short = '{"mood":"good | bad","score":"number 0..1?"}';
  const args = ['plan', file, '--dir', store, ...FLAGS, '--output-schema', short, '--output-prefix', 'a_'];
  const compiled = {
    type: 'object',
    properties: {
      mood: { type: 'string', enum: ['good', 'bad'] },
      score: { type: ['number', 'null'], minimum: 0, maximum: 1 },
    },
    required: ['mood'],
  };
  const { out } = await runQuarry(...args);
  expect(out).toContain('  columns    a_mood VARCHAR, a_score DOUBLE\n');
  expect(out).toContain('  schema     asked for in the prompt; each answer is checked\n');
  const held = await runQuarry(...args, '--model-id', 'us.anthropic.claude-haiku-4-5-20251001-v1:0');
  expect(held.out).toContain(
    '  schema     sent in the model’s own form, which holds its answers to it; each answer is checked\n',
  );
  expect(held.out).toContain('             sent as {"type":"object","properties":{"mood":{"type":"string"');
  expect(out).toContain(`             ${short}\n             means ${JSON.stringify(compiled)}\n`);
  expect(JSON.parse((await runQuarry(...args, '--json')).out)).toMatchObject({
    output_schema: {
      given: JSON.parse(short),
      compiled,
      form: 'prompt',
      sent: null,
      columns: [
        { name: 'a_mood', type: 'VARCHAR' },
        { name: 'a_score', type: 'DOUBLE' },
      ],
    },
  });

  const schemaFile = join(store, '..', 'schema.json');
  await writeFile(schemaFile, JSON.stringify(compiled));
  const whole = await runQuarry('plan', file, '--dir', store, ...FLAGS, '--output-schema', schemaFile);
  expect(whole.out).toContain(`             ${JSON.stringify(compiled)}\n  on demand`);
});

test('a plan names the rows that go on demand, and prices them so', async () => {
  const { file, store } = await dataset(50);
  const plan = async (...args: string[]) =>
    JSON.parse((await runQuarry('plan', file, '--dir', store, ...FLAGS, '--json', ...args)).out);
  const report = await plan();
  expect(report).toMatchObject({ on_demand_rows: 50, schedule: { balanced: { jobs: 0 } } });
  // 50 answers of 1,024 tokens at $0.24 a million.
  expect(report.estimate.max_usd - report.estimate.input_usd).toBeCloseTo(0.012288, 4);
  const { out } = await runQuarry('plan', file, '--dir', store, ...FLAGS, '--max-records', '5');
  expect(out).toContain('rows       5 of 50');
  expect(out).toContain('on demand  5, at twice the price');
  expect(out).not.toContain('waves');
});

test('the run that a plan is of has the same id and parts, and the plan says that it exists', async () => {
  const { file, store } = await dataset(300);
  const args = [file, '--dir', store, ...FLAGS, '--json'];
  const before = JSON.parse((await runQuarry('plan', ...args)).out);
  const summary = JSON.parse((await runQuarry('run', ...args)).out);
  const after = JSON.parse((await runQuarry('plan', ...args)).out);
  expect(summary.run_id).toBe(before.run_id);
  expect([before.run_exists, after.run_exists]).toEqual([false, true]);
  expect(after.parts).toBe(before.parts);
});

test('a plan refuses what a run refuses', async () => {
  const { file, store } = await dataset(3);
  const refused = async (...args: string[]) => {
    const { status, err } = await runQuarry('plan', file, '--dir', store, ...args);
    expect(status).toBe(1);
    return err;
  };
  expect(await refused('--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', '{b}')).toContain(
    'The prompt needs column "b"',
  );
  expect(await refused(...FLAGS, '--records-per-hour', '0')).toContain('It is not a whole number above 0.');
});

test('with --force a plan notes what it would refuse, and goes on', async () => {
  const { file, store } = await dataset(3);
  const args = ['plan', file, '--dir', store, '--model-id', 'qwen.qwen3-32b-v1:0'];
  const asked = [...args, '--prompt-template', '{a}?', '--stop-sequence', 'END'];
  expect((await runQuarry(...asked)).status).toBe(1);
  const note =
    'inference_parameters: qwen.qwen3-32b-v1:0 refuses stop_sequences. Leave them out. It is tried all the same, as force is given.';
  const { status, out } = await runQuarry(...asked, '--force');
  expect(status).toBe(0);
  expect(out).toContain(`\nNote: ${note}\n`);
  expect(JSON.parse((await runQuarry(...asked, '--force', '--json')).out).notes).toEqual([note]);
});

test('force is no part of a run’s identity', async () => {
  const { file, store } = await dataset(3);
  const args = ['plan', file, '--dir', store, ...FLAGS, '--json'];
  const [plain, forced] = [await runQuarry(...args), await runQuarry(...args, '--force')];
  expect(JSON.parse(forced.out).run_id).toBe(JSON.parse(plain.out).run_id);
});

test('base_model_id gives an application inference profile its price', async () => {
  const { file, store } = await dataset(3);
  const profile = 'arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6';
  const args = ['plan', file, '--dir', store, '--model-id', profile, '--prompt-template', '{a}', '--json'];
  const unknown = JSON.parse((await runQuarry(...args)).out);
  expect(unknown.estimate.max_usd).toBeNull();
  expect(unknown.notes).toEqual([expect.stringContaining('Give base_model_id.')]);
  const told = JSON.parse((await runQuarry(...args, '--base-model-id', 'amazon.nova-lite-v1:0')).out);
  // 3 answers of 1,024 tokens on demand, at $0.24 a million.
  expect(told.estimate.max_usd - told.estimate.input_usd).toBeCloseTo(0.00073728, 6);
  expect(told.notes).toEqual([]);
});

test('a raised quota can be told, and parts are packed by it', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(file, `n\n${Array.from({ length: 110_000 }, (_, index) => `${index}\n`).join('')}`);
  const plan = (...flags: string[]) =>
    runQuarry(
      ...['plan', file, '--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {n}'],
      ...['--dir', join(directory, 'store'), '--json', '--min-records-per-job-spread', '110000', ...flags],
    );
  expect(JSON.parse((await plan()).out).parts).toBe(2);
  expect(JSON.parse((await plan('--records-per-job-quota', '200000')).out).parts).toBe(1);
  const refused = await plan('--max-records-per-job', '110000');
  expect(refused.err).toContain("that is AWS's default as of 2026-10, not read from your account");
  const wrong = await plan('--records-per-job-quota', 'many');
  expect(wrong.status).toBe(1);
  expect(wrong.err).toContain('Give a whole number of records from 1.');
});

test('a plan notes what it made of its input', async () => {
  const directory = await temporaryDirectory();
  const file = join(directory, 'rows.csv');
  await writeFile(
    file,
    `a,record_id\n${Array.from({ length: 1000 }, (_, row) => `${row},id-${row}`).join('\n')}\n`,
  );
  const { out } = await runQuarry(
    ...['plan', file, '--dir', join(directory, 'store'), ...FLAGS, '--json'],
    ...['--max-num-jobs', '2', '--max-records-per-job', '200', '--job-name-prefix', 'my_first jokes'],
  );
  expect(JSON.parse(out)).toMatchObject({
    run_id: expect.stringMatching(/^my-first-jokes-/),
    rows: 400,
    notes: [
      'job_name_prefix "my_first jokes" is taken as "my-first-jokes": Bedrock allows no "_" and no blank in the name of a job.',
      'The dataset’s own column record_id gives the record ids.',
      'max_num_jobs 2 comes to 400 of 1,000 rows: 2 jobs of up to 200 records.',
    ],
  });
});

test.each([
  ['a file', ['a.csv']],
  ['a folder', ['.']],
  ['several files', ['b.csv', 'a.csv']],
])('a plan of %s copies nothing, and the run is the one that was planned', async (_, names) => {
  const [dir, folder] = [await temporaryDirectory(), await temporaryDirectory()];
  await writeFile(join(folder, 'a.csv'), 'text\none\ntwo\n');
  await writeFile(join(folder, 'b.csv'), 'text\nthree\n');
  const args = [
    ...names.map((name) => join(folder, name)),
    ...['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Why {text}?', '--dir', dir, '--json'],
  ];
  const plan = JSON.parse((await runQuarry('plan', ...args)).out);
  const kept = await readdir(dir, { recursive: true });
  expect(kept.filter((path) => path.endsWith('.csv') || path.includes('datasets'))).toEqual([]);
  const summary = JSON.parse((await runQuarry('run', ...args)).out);
  expect(summary).toMatchObject({ run_id: plan.run_id, rows: { total: plan.rows, succeeded: plan.rows } });
  expect(JSON.parse((await runQuarry('plan', ...args)).out)).toMatchObject({
    run_id: plan.run_id,
    run_exists: true,
  });
});

test('a plan of local files copies none of them, packed or not, one or many', async () => {
  const directory = await temporaryDirectory();
  const text = `a\n${Array.from({ length: 20_000 }, (_, index) => `row number ${index}`).join('\n')}\n`;
  await writeFile(join(directory, 'rows.csv'), text);
  await writeFile(join(directory, 'more.csv.gz'), gzipSync(text, { level: 0 }));
  const store = join(directory, 'store');
  for (const dataset of ['rows.csv', 'more.csv.gz', '*.csv*']) {
    const { status, err } = await runQuarry('plan', join(directory, dataset), '--dir', store, ...FLAGS);
    expect([status, err]).toEqual([0, err]);
  }
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(({ parentPath, name }) => stat(join(parentPath, name))));
  expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(text.length / 10);
});
