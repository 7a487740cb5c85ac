import { expect, test } from 'vitest';
import { renderReportPage } from '../../src/report/report-page.ts';
import { shorten } from '../../src/report/shorten.ts';
import { reportRow, runReport } from '../support/run-report.ts';

test('texts are cut until the page is below 2 MB, and each says how many characters it lost', () => {
  const long = { text: '漢'.repeat(4_000), cut: 1_000 };
  const rows = Array.from({ length: 400 }, (_, index) =>
    reportRow({ record_id: `r${index}`, prompt: long, answer: long }),
  );
  const short = shorten(runReport({ rows }));
  expect(Buffer.byteLength(renderReportPage(short))).toBeLessThan(2_000_000);
  expect(short.rows).toHaveLength(400);
  for (const { prompt } of short.rows)
    expect([...(prompt?.text ?? '')].length + (prompt?.cut ?? 0)).toBe(5_000);
});

test('a report that fits stays as it is', () => {
  const report = runReport({ rows: [reportRow({})] });
  expect(shorten(report)).toEqual(report);
});

test('a summary of thousands of files and a prompt of a megabyte are cut, and say so', () => {
  const report = runReport({});
  const { summary } = shorten({
    ...report,
    summary: {
      ...report.summary,
      output_uris: Array.from({ length: 5_000 }, (_, index) => `s3://bucket/${index}`),
      input: {
        prompt_template: 'x'.repeat(1_000_000),
        list: Array.from({ length: 60 }, (_, index) => index),
      },
    },
  });
  expect(summary.output_uris).toHaveLength(50);
  expect(String(summary.input.prompt_template)).toMatch(/x … and 980000 more characters$/);
  expect((summary.input.list as unknown[]).at(-1)).toBe('… 10 more');
});
