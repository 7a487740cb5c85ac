import { expect, test } from 'vitest';
import { summaryLines } from '../../../src/cli/views/summary-view.ts';
import type { RunSummary } from '../../../src/core/run/summary.ts';

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

const linesOf = (summary: Partial<RunSummary>) =>
  summaryLines(
    { ...SUMMARY, rows: { total: 1000, succeeded: 1000, failed: 0, not_sent: 0 }, ...summary },
    [],
  );
const warningsOf = (summary: Partial<RunSummary>) =>
  linesOf(summary).filter((line) => line.startsWith('  Warning: '));

test('answers that were cut off, refused or empty are counted, and warned of from one in a hundred on', () => {
  const stop_reasons = [
    { stop_reason: 'end_turn', rows: 969, empty: 9 },
    { stop_reason: 'max_tokens', rows: 31, empty: 0 },
  ];
  const summary = { stop_reasons, flawed: { truncated: 31, refused: 0, empty: 9 } };
  expect(linesOf(summary)).toContain('  stopped    969 end_turn, 31 max_tokens');
  expect(linesOf(summary)).toContain('  flawed     31 cut off, 9 empty');
  expect(warningsOf(summary)).toEqual([
    '  Warning: 31 answers (3.1 %) are cut off. Raise inference_parameters.max_tokens, or shorten the prompts if the model’s context is full.',
  ]);
  expect(warningsOf({ flawed: { truncated: 0, refused: 10, empty: 0 } })).toEqual([
    expect.stringMatching(/^ {2}Warning: 10 answers \(1 %\) are refused or filtered\. /),
  ]);
  expect(warningsOf({ flawed: { truncated: 9, refused: 0, empty: 0 } })).toEqual([]);
});

test('answers that all ended as usual, or of a version that did not count, take no line', () => {
  const usual = linesOf({
    stop_reasons: [{ stop_reason: 'end_turn', rows: 1000, empty: 0 }],
    flawed: { truncated: 0, refused: 0, empty: 0 },
  });
  expect(usual).toEqual(linesOf({}));
  expect(usual.some((line) => /stopped {4}|flawed|Warning/.test(line))).toBe(false);
});
