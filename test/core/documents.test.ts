import { describe, expect, test } from 'vitest';
import { JobRecord } from '../../src/core/jobs/job-record.ts';
import { Slice, WavePart } from '../../src/core/plan/part.ts';
import { BYTES_PER_TOKEN, RunPlan } from '../../src/core/plan/run-plan.ts';
import { RunSummary } from '../../src/core/run/summary.ts';

const file = { uri: 's3://bucket/data.csv', bytes: 10, etag: 'a-1', rows: 3 };

describe('documents of a run survive JSON', () => {
  const variant = {
    model: { model_id: 'x.y', family: 'any', invocation_type: 'Converse' },
    prompt_template: null,
    prompt_hash: 'def',
    output_column: 'response',
  };
  const plan = {
    format_version: 3,
    quarry_version: '0.1.0',
    run_id: 'jokes-1',
    input_hash: 'abc',
    input: { s3_uri: 's3://bucket/data.csv', model_id: 'x.y' },
    dataset: { format: 'csv', files: [file], columns: [{ name: 'topic', type: 'VARCHAR' }], rows: 3 },
    variants: [{ ...variant, parameters: {} }],
    selected_rows: 3,
    hub: null,
    duplicates: 0,
    on_demand_rows: 3,
    parts: 1,
    max_rows_per_part: 50_000,
    slices: 1,
    max_concurrent_jobs: 20,
    min_records_per_job: 100,
    max_attempts: 3,
    estimate: {
      input_tokens: 30,
      max_output_tokens: 3072,
      max_usd: null,
      input_usd: null,
      prices_as_of: '2026-09-30',
    },
    notes: ['Mind the gap.'],
    created_at: '2026-11-22T00:00:00.000Z',
  };
  const summary = {
    format_version: 1,
    quarry_version: '0.1.0',
    run_id: 'jokes-1',
    status: 'partly_succeeded',
    stop: { reason: 'budget', message: 'Too dear.' },
    attempts: [{ attempts: 1, rows: 3, succeeded: 2 }],
    waves: 1,
    rows: { total: 3, succeeded: 2, failed: 1, not_sent: 0 },
    reasons: [{ error_code: '400', rows: 1, example_record_id: 'r1', example_message: 'bad request' }],
    tokens: { input: 30, output: 60 },
    cost_usd: 0.01,
    jobs: 1,
    on_demand_records: 0,
    simulated: true,
    output_uris: ['s3://bucket/runs/jokes-1/output/p00001.parquet'],
    started_at: '2026-11-22T00:00:00.000Z',
    ended_at: '2026-11-22T00:10:00.000Z',
    input: {},
    input_hash: 'abc',
    prompt_hash: 'def',
    model_id: 'x.y',
    notes: ['Mind the gap.'],
    dataset_files: [file],
    dataset_rows: 3,
    hub: null,
    duplicates: 0,
  };
  const slice = {
    slice: 0,
    reads: [{ uri: file.uri, first_row_in_file: 0, rows: 3, first_row: 0 }],
    parts: [{ part_id: 'p00001', variant: 0, first_row: 0, rows: 3 }],
  };
  const wavePart = {
    run_uri: 's3://bucket/runs/jokes-1',
    part_id: 'p00001',
    variant: 0,
    wave: 1,
    attempt: 1,
    mode: 'on_demand',
    records: 3,
    bytes: 300,
    sources: [{ part_id: 'p00001', owed_from: 0, owed_count: 3 }],
    run_max_usd: 0.5,
  };
  const job = { part_id: 'p00001', job_name: 'n', job_arn: null, refusal: 'no', submitted_at: '2026-11-22' };

  test.each([
    { name: 'plan.json', schema: RunPlan, document: plan },
    { name: 'summary.json', schema: RunSummary, document: summary },
    { name: 'a slice', schema: Slice, document: slice },
    { name: 'a part of a wave', schema: WavePart, document: wavePart },
    { name: 'a job record', schema: JobRecord, document: job },
  ])('$name', ({ schema, document }) => {
    expect(schema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  test('a part that lies nowhere in S3 is refused', () => {
    expect(WavePart.safeParse({ ...wavePart, run_uri: '/tmp/run' }).success).toBe(false);
    expect(WavePart.safeParse({ ...wavePart, run_uri: 7 }).success).toBe(false);
  });

  test('a plan of another format is refused', () => {
    expect(RunPlan.safeParse({ ...plan, format_version: 4 }).success).toBe(false);
    expect(RunPlan.safeParse('a plan').success).toBe(false);
  });

  test('a plan has one variant or several, and not none', () => {
    const twice = { ...plan, variants: [...plan.variants, ...plan.variants] };
    expect(RunPlan.parse(twice).variants).toHaveLength(2);
    expect(RunPlan.safeParse({ ...plan, variants: [] }).success).toBe(false);
  });

  test.each([1, 2])(
    'a plan of format %i has its only variant in itself, and is read as one of today',
    (format) => {
      const { variants: _, ...others } = plan;
      const old = { ...others, ...variant, format_version: format };
      expect(RunPlan.parse(old)).toEqual(plan);
      const input = { ...plan.input, system_prompt: 'x', inference_parameters: { max_tokens: 5 } };
      expect(RunPlan.parse({ ...old, input, system_placeholders: true }).variants).toEqual([
        { ...variant, system_placeholders: true, parameters: { max_tokens: 5 } },
      ]);
    },
  );

  test('a plan of format 1 with duplicates is told by its number', () => {
    const { variants: _, ...others } = plan;
    const old = { ...others, ...variant, format_version: 1, duplicates: 1 };
    expect(RunPlan.parse(old).format_version).toBe(1);
  });

  test('parts of earlier versions are of the first variant', () => {
    const { variant: _, ...old } = wavePart;
    expect(WavePart.parse(old)).toEqual(wavePart);
  });
});

test('a token is taken for four bytes', () => {
  expect(BYTES_PER_TOKEN).toBe(4);
});
