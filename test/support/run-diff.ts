import type { RunDiff, TellingRow } from '../../src/report/diff/run-diff.ts';

const RUN = {
  run_id: 'before',
  model_id: 'us.amazon.nova-lite-v1:0',
  status: 'succeeded',
  ended_at: '2026-01-01T02:00:00.000Z',
  rows: { total: 100, succeeded: 100, failed: 0, not_sent: 0 },
  tokens: { input: 1_000, output: 400 },
  cost_usd: 0.5,
  billed: true,
  simulated: false,
} as const;

const NUMBERS = {
  rows: 90,
  mean_a: 20,
  mean_b: 25,
  shift: { mean: 5, interval: [4, 6], significance: { test: 'paired_t', p: 0.00001 } },
  increased: 40,
  decreased: 3,
  quantiles: { min: -2, p05: 0, p25: 0, median: 4, p75: 6, p95: 9, max: 30 },
} as const;

/** A pair of rows of a diff. */
export function tellingRow(row: Partial<TellingRow>): TellingRow {
  const side = (answer: string) => ({
    record_id: 'r1',
    prompt: { text: 'Say hello', cut: 0 },
    answer: { text: answer, cut: 0 },
    error_code: null,
    error_message: null,
  });
  return {
    why: { kind: 'words' },
    distance: null,
    values: [],
    a: side('Hello'),
    b: side('Good day'),
    ...row,
  };
}

/** The diff of two small runs that were paid for. */
export function runDiff(more: Partial<RunDiff> = {}): RunDiff {
  return {
    format_version: 1,
    quarry_version: '0.0.0',
    a: RUN,
    b: { ...RUN, run_id: 'after', model_id: 'us.amazon.nova-pro-v1:0', cost_usd: 0.75 },
    joined_by: { kind: 'record_id', column: 'id' },
    compared_by: 'columns',
    is_empty: false,
    settings: [{ key: 'model_id', a: 'us.amazon.nova-lite-v1:0', b: 'us.amazon.nova-pro-v1:0' }],
    in_both: 95,
    only_in_a: 5,
    only_in_b: 5,
    duplicates: { a: 0, b: 0 },
    edited: null,
    compared: 90,
    changed: { rows: 9, of: 90, share: 0.1, interval: [0.0535, 0.179] },
    reworded: 30,
    newly_failed: { rows: 2, causes: [{ error_code: '400', rows: 2 }] },
    newly_mended: { rows: 1, causes: [{ error_code: 'RecordMissing', rows: 1 }] },
    failed_in_both: 2,
    truncated: { a: 1, b: 4, newly: 3, no_longer: 0 },
    refused: { a: 0, b: 1, newly: 1, no_longer: 0 },
    characters: NUMBERS,
    input_tokens: null,
    output_tokens: NUMBERS,
    columns: [
      {
        name: 'mood',
        type_a: 'VARCHAR',
        type_b: 'VARCHAR',
        changed: { rows: 6, of: 90, share: 6 / 90, interval: [0.03, 0.14] },
        transitions: [
          { from: 'good', to: 'good', rows: 84 },
          { from: 'good', to: 'bad', rows: 5 },
          { from: null, to: 'bad', rows: 1 },
        ],
        others: 0,
        significance: { test: 'mcnemar', p: 0.0625 },
        numbers: null,
      },
      {
        name: 'score',
        type_a: 'DOUBLE',
        type_b: 'BIGINT',
        changed: { rows: 43, of: 90, share: 43 / 90, interval: [0.37, 0.58] },
        transitions: [],
        others: null,
        significance: NUMBERS.shift.significance,
        numbers: NUMBERS,
      },
    ],
    distances: null,
    notes: ['2 rows have the same id but other input columns.'],
    telling: [],
    ...more,
  };
}
