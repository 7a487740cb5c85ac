import type { ReportRow, RunReport } from '../../src/report/run-report.ts';

/** A row of a report. */
export function reportRow(row: Partial<ReportRow>): ReportRow {
  return {
    record_id: 'r1',
    kind: 'answered',
    is_longest: false,
    prompt: { text: 'Say hello', cut: 0 },
    answer: { text: 'Hello', cut: 0 },
    error_code: null,
    error_message: null,
    stop_reason: 'end_turn',
    input_tokens: 3,
    output_tokens: 2,
    attempts: 1,
    ...row,
  };
}

const SIZES = {
  rows: 10,
  mean: 3,
  min: 2,
  max: 5,
  buckets: [
    { from: 2, to: 4, rows: 8 },
    { from: 4, to: 5.7, rows: 2 },
  ],
};

/** The report of a small run that was paid for. */
export function runReport({
  summary,
  ...more
}: Partial<Omit<RunReport, 'summary'>> & { summary?: Partial<RunReport['summary']> }): RunReport {
  return {
    format_version: 1,
    summary: {
      format_version: 1,
      quarry_version: '0.0.0',
      run_id: 'reported',
      status: 'partly_succeeded',
      stop: null,
      rows: { total: 10, succeeded: 9, failed: 1, not_sent: 0 },
      attempts: [{ attempts: 1, rows: 10, succeeded: 9 }],
      waves: 1,
      reasons: [{ error_code: '400', rows: 1, example_record_id: 'r9', example_message: 'Too long.' }],
      stop_reasons: [{ stop_reason: 'end_turn', rows: 9, empty: 0 }],
      tokens: { input: 30, output: 20 },
      cost_usd: 0.5,
      duplicates: 0,
      jobs: 1,
      on_demand_records: 0,
      simulated: false,
      billed: true,
      output_uris: ['s3://bucket/runs/reported/output/p00001.parquet'],
      started_at: '2026-01-01T00:00:00.000Z',
      ended_at: '2026-01-01T02:00:00.000Z',
      input: { prompt_template: 'Say {name}' },
      input_hash: 'a',
      prompt_hash: 'b',
      model_id: 'us.amazon.nova-lite-v1:0',
      notes: [],
      dataset_files: [],
      dataset_rows: 10,
      hub: null,
      ...summary,
    },
    output_files: 1,
    estimate: {
      input_tokens: 30,
      max_output_tokens: 5_000,
      max_usd: 2,
      input_usd: 0.1,
      prices_as_of: '2026-09-30',
    },
    timeline: {
      slots: 20,
      left_out: 0,
      busy_share: 0.05,
      jobs: [
        {
          part_id: 'p00001',
          wave: 1,
          slot: 1,
          is_repair: false,
          records: 10,
          answered: 9,
          status: 'Completed',
          message: null,
          submitted_at: '2026-01-01T00:00:10.000Z',
          ended_at: '2026-01-01T01:59:00.000Z',
        },
      ],
    },
    progress: [
      { at: '2026-01-01T00:00:10.000Z', answered: 0 },
      { at: '2026-01-01T01:59:00.000Z', answered: 9 },
    ],
    scanned_rows: 10,
    input_tokens: SIZES,
    output_tokens: SIZES,
    columns: [],
    rows: [],
    ...more,
  };
}
