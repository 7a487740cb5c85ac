import { expect, test } from 'vitest';
import type { FaultScript } from '../../src/emulator/faults/faults.ts';
import { readReport } from '../../src/report/read-report.ts';
import { asRemote } from '../support/remote-store.ts';
import { runForReport } from '../support/reported-run.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const FAULTS = [
  { fault: { kind: 'record-errors' as const, fraction: 0.05, errorCode: 400, errorMessage: 'Too long.' } },
];

/** A run of some hundred rows, of which some fail. */
async function source(keys: Record<string, unknown> = {}, faults: FaultScript = FAULTS) {
  const rows = Array.from(
    { length: 420 },
    (_, index) => `row ${index} ${'and more '.repeat(index % 7)}\n`,
  ).join('');
  return runForReport({
    directory: await temporaryDirectory(),
    csv: `name\n${rows}`,
    faults,
    keys: { prompt_template: 'Say {name}', max_records_per_job: 140, pilot: false, max_attempts: 1, ...keys },
  });
}

test('a report has the ledger, the jobs, the sizes, and rows of every kind with prompt and answer', async () => {
  const { summary, ...files } = await source();
  const report = await readReport({ ...files, summary });
  expect(report.summary.rows).toEqual(summary.rows);
  expect(report.timeline.jobs.map(({ part_id, slot }) => [part_id, slot])).toEqual([
    ['p00001', 1],
    ['p00002', 2],
    ['p00003', 3],
  ]);
  expect(report.progress.at(-1)?.answered).toBe(summary.rows.succeeded);
  expect(report.scanned_rows).toBe(420);
  expect(report.output_tokens.rows).toBe(summary.rows.succeeded);
  const counted = report.output_tokens.buckets.reduce((sum, { rows }) => sum + rows, 0);
  expect(counted).toBe(summary.rows.succeeded);
  expect(Math.round(report.output_tokens.mean * report.output_tokens.rows)).toBe(summary.tokens.output);
  const failed = report.rows.filter(({ kind }) => kind === 'failed');
  expect(failed).toHaveLength(Math.min(60, summary.rows.failed));
  expect(failed[0]).toMatchObject({ error_code: '400', answer: null, attempts: 1 });
  expect(report.rows[0]?.prompt?.text).toBe('Say row 0 ');
  expect(report.rows.filter(({ is_longest }) => is_longest)).toHaveLength(60);
  for (const { kind, answer } of report.rows) expect(answer === null).toBe(kind === 'failed');
});

test('the same files give the same report', async () => {
  const files = await source();
  expect(await readReport(files)).toEqual(await readReport(files));
});

test('the typed columns of answers are counted, and rows sum up', async () => {
  const files = await source({
    output_schema: { mood: 'good|bad', score: 'integer 0..9?' },
    output_prefix: 'a_',
  });
  const { columns, summary } = await readReport(files);
  expect(columns.map(({ name }) => name)).toEqual(['a_mood', 'a_score']);
  for (const { nulls, others, values } of columns) {
    expect(nulls + others + values.reduce((sum, { rows }) => sum + rows, 0)).toBe(summary.rows.succeeded);
  }
  expect(columns[0]?.values.map(({ value }) => value).sort()).toEqual(['bad', 'good']);
});

test('results that lie in S3 give the same report, and no file of them is downloaded whole', async () => {
  const files = await source();
  const { store, downloads } = asRemote(files.store);
  expect(await readReport({ ...files, store })).toEqual(await readReport(files));
  expect(downloads).toEqual([]);
});

test('a rare error has its rows in the report beside a frequent one', async () => {
  const files = await source({}, [
    {
      when: { jobs: [3] },
      fault: { kind: 'record-errors', fraction: 0.02, errorCode: 403, errorMessage: 'Rare.' },
    },
    { fault: { kind: 'record-errors', fraction: 0.6, errorCode: 400, errorMessage: 'Frequent.' } },
  ]);
  const { rows, summary } = await readReport(files);
  const rare = summary.reasons.find(({ error_code }) => error_code === '403')?.rows ?? 0;
  expect(rare).toBeGreaterThan(0);
  const shown = (code: string) => rows.filter(({ error_code }) => error_code === code).length;
  expect(shown('403')).toBe(rare);
  expect(shown('400')).toBeGreaterThanOrEqual(30);
});
