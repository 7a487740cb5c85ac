import { expect, test } from 'vitest';
import { summaryLines } from '../../../src/cli/views/summary-view.ts';
import type { RunSummary } from '../../../src/core/summary.ts';

const SUMMARY: RunSummary = {
  format_version: 1,
  quarry_version: '0.1.0',
  run_id: 'jokes',
  status: 'succeeded',
  stop: null,
  rows: { total: 1, succeeded: 1, failed: 0, not_sent: 0 },
  attempts: [{ attempts: 1, rows: 1, succeeded: 1 }],
  waves: 1,
  reasons: [],
  tokens: { input: 1000, output: 1000 },
  cost_usd: 0.0102,
  duplicates: 0,
  jobs: 1,
  on_demand_records: 0,
  simulated: false,
  billed: true,
  output_uris: [],
  started_at: '2026-11-01T00:00:00.000Z',
  ended_at: '2026-11-01T00:00:01.000Z',
  input: {},
  input_hash: 'i',
  prompt_hash: 'p',
  notes: [],
  model_id: 'm',
  dataset_files: [],
  dataset_rows: 1,
  hub: null,
};

const costOf = (summary: Partial<RunSummary>) =>
  summaryLines({ ...SUMMARY, ...summary }, []).find((line) => line.startsWith('  cost'));

test('only what an AWS account pays for is called a cost: neither a simulated model’s tokens nor an own server’s', () => {
  expect(costOf({})).toBe('  cost       $0.0102, by the price table');
  const nothing = '  cost       nothing; $0.0102 had these tokens been Bedrock’s';
  expect(costOf({ billed: false })).toBe(nothing);
  expect(costOf({ billed: false, simulated: true })).toBe(nothing);
  // Of version 0.1.0, which did not tell them apart.
  const { billed: _, ...old } = SUMMARY;
  expect(summaryLines({ ...old, simulated: true }, [])).toContain(nothing);
});
