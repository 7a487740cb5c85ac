import { expect, test } from 'vitest';
import { reportCaching } from '../../../src/quarry/runs/prompt-caching.ts';
import { planOf } from '../../support/seen-run.ts';

type Draft = Parameters<typeof reportCaching>[0];

/** A draft whose rows begin with so many characters alike, and have 400 of their own. */
function draft(shared: number, rows = 3): Draft {
  const record = (index: number) =>
    JSON.stringify({
      recordId: `r${index}`,
      modelInput: {
        messages: [{ role: 'user', content: [{ type: 'text', text: `Text: ${String(index).repeat(394)}` }] }],
        system: 's'.repeat(shared),
      },
    });
  const plan = planOf({ estimate: { input_tokens: 3000 * ((shared + 400) / 4), max_usd: 1 } });
  const records = Array.from({ length: rows }, (_, index) => ({ record: record(index) }));
  return { plan, preview: { records, unsent: [] } } as unknown as Draft;
}

test('what all rows begin with is told where on demand with prompt caching would be cheaper', () => {
  const report = reportCaching(draft(40_000), 60_000);
  expect(report?.prefix_tokens).toBeGreaterThan(9_950);
  expect(report?.prefix_tokens).toBeLessThan(10_010);
  expect(report?.cheaper_below_output_tokens).toBeGreaterThan(100);
  expect(report?.expected_usd).toBeGreaterThan(0);
  expect(reportCaching(draft(40_000), undefined)?.expected_usd).toBeNull();
});

test('nothing is told of rows that share little, or of one row alone', () => {
  expect(reportCaching(draft(100), undefined)).toBeNull();
  expect(reportCaching(draft(40_000, 1), undefined)).toBeNull();
});
