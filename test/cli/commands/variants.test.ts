import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runQuarry } from '../../support/run-quarry.ts';

let home: string;
let dataset: string;

/** The worked example of docs/variants.md, over a dataset of its own. */
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'quarry-test-'));
  dataset = join(home, 'reviews.csv');
  await writeFile(dataset, `text\n${Array.from({ length: 150 }, (_, row) => `Review ${row}.\n`).join('')}`);
  const page = await readFile('docs/variants.md', 'utf8');
  const example = /```json\n(.*?)```/s.exec(page)?.[1] ?? '';
  await writeFile(join(home, 'trial.json'), example);
});

afterAll(() => rm(home, { recursive: true, force: true }));

const quarry = (...args: string[]) => runQuarry(...args, '--dir', join(home, 'store'));
const trial = () => [dataset, '--input', join(home, 'trial.json'), '--max-records', '120'];

test('the example of the page is planned, run, looked at, compared and taken on, as it says', async () => {
  const plan = JSON.parse((await quarry('plan', ...trial(), '--json')).out);
  expect(plan.rows).toBe(120);
  expect(plan.variants.map(({ name }: { name: string }) => name)).toEqual(['haiku', 'short', 'nova']);
  const sum = plan.variants.reduce((usd: number, { estimate }: typeof plan) => usd + estimate.max_usd, 0);
  expect(plan.estimate.max_usd).toBeCloseTo(sum, 10);
  expect(plan.variants[2].whole_max_usd).toBeCloseTo((plan.variants[2].estimate.max_usd * 150) / 120, 10);
  const shown = (await quarry('plan', ...trial())).out;
  expect(shown).toContain('variants   3, so that 360 answers are asked for');
  expect(shown).toMatch(/nova {3}us\.amazon\.nova-lite-v1:0: \$\S+, all 150 rows \$/);
  expect(shown).toContain('  short: row 1, r0000000000\n    Positive or negative: Review 0.');

  const run = await quarry('run', ...trial());
  expect(run.status, run.err).toBe(0);
  const status = await quarry('status', 'trial');
  expect(status.out).toContain('rows       360: 120 rows in each of 3 variants');
  expect(status.out).toMatch(/short {2}us\.anthropic\S+: 120 of 120 answered, .*, all 150 rows about \$/);
  expect(status.out).toContain('haiku and short agree in 0.0 % of 120 rows that both answered');
  expect((await quarry('verify', 'trial')).status).toBe(0);
  expect((await quarry('runs')).out).toContain('trial');
  const rows = (await quarry('results', 'trial', '--format', 'jsonl')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows).toHaveLength(120);
  expect(rows[7]).toMatchObject({
    text: 'Review 7.',
    response_haiku: expect.stringContaining('[simulated us.anthropic'),
    response_nova: expect.stringContaining('[simulated us.amazon.nova'),
  });
  expect((await quarry('results', 'trial', '--failed', '--format', 'jsonl')).out).toBe('');
  const report = await readFile(join(home, 'store/quarry-local/runs/trial/report.html'), 'utf8');
  expect(report).toContain('"variant":"short"');

  const diff = JSON.parse((await quarry('diff', 'trial:haiku', 'trial:nova', '--json')).out).diff;
  expect(diff).toMatchObject({
    in_both: 120,
    compared: 120,
    a: { run_id: 'trial:haiku' },
    b: { run_id: 'trial:nova' },
  });
  expect((await quarry('diff', 'trial:nova', 'trial:nova', '--fail-if', 'changed>0')).status).toBe(0);

  const asked = [
    '--variant',
    'nova',
    '--prompt-template',
    'Other: {text}',
    '--run-id',
    'other',
    '--explain',
    'r0000000007',
  ];
  const other = await quarry('plan', dataset, '--input', join(home, 'trial.json'), ...asked, '--json');
  expect(JSON.parse(other.out).explanation.reasons).toEqual(['The prompt has changed.']);

  const taken = await quarry(
    'run',
    dataset,
    '--input',
    join(home, 'trial.json'),
    '--variant',
    'nova',
    '--json',
  );
  expect(JSON.parse(taken.out)).toMatchObject({
    run_id: 'trial-nova',
    rows: { total: 150, succeeded: 150, reused: 120 },
    model_id: 'us.amazon.nova-lite-v1:0',
  });
}, 120_000);

test('what cannot be done with variants is refused in a sentence', async () => {
  const refused = async (...args: string[]) => (await quarry(...args)).err;
  expect(await refused('diff', 'trial', 'trial:nova')).toContain(
    'Run "trial" has variants: name one of trial:haiku, trial:short, trial:nova.',
  );
  expect(await refused('diff', 'trial:other', 'trial:nova')).toContain('name one of trial:haiku');
  expect(await refused('diff', 'trial-nova:a', 'trial:nova')).toContain(
    'Run "trial-nova" has no variants: name it without ":a".',
  );
  expect(await refused('rerun', 'trial', '--failed')).toContain(
    'Run "trial" has variants, and a rerun is of a run without.',
  );
  expect(
    await refused(
      'run',
      ...trial(),
      '--run-id',
      'clash',
      '--variants',
      '{"a":{},"b":{"prompt_template":"{none}"}}',
    ),
  ).toContain('none');
  await writeFile(join(home, 'clash.csv'), 'text,response_a\nx,y\n');
  expect(
    await refused(
      'plan',
      join(home, 'clash.csv'),
      '--run-id',
      'other',
      '--input',
      join(home, 'trial.json'),
      '--variants',
      '{"a":{},"b":{}}',
    ),
  ).toContain(
    'Variant "a" would add a column "response_a" to the output, which the dataset has already. Give the variant another name.',
  );
});
