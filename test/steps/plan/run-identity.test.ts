import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';
import { inputHashOf, runIdOf } from '../../../src/steps/plan/run-identity.ts';

const HASH = '0123456789abcdef';
const idOf = (keys: object) =>
  runIdOf(parseRunInput({ s3_uri: 's3://bucket/a.csv', model_id: 'amazon.nova-lite-v1:0', ...keys }), HASH);

test('a run is named after what it is about and a hash of its input', () => {
  expect(idOf({ prompt_id: 'joke_about_topic' })).toBe('joke-about-topic-0123456789');
  expect(idOf({ job_name_prefix: 'my.jobs+1', prompt_id: 'x' })).toBe('my-jobs-1-0123456789');
  expect(idOf({ prompt_template: '{a}' })).toBe('run-0123456789');
  expect(idOf({ run_id: 'mine' })).toBe('mine');
});

test('a derived id is a valid one, whatever the prompt is called', () => {
  for (const prompt_id of ['_x', 'é', 'p'.repeat(200), `${'p'.repeat(39)}_x`]) {
    const run_id = idOf({ prompt_id });
    expect(idOf({ run_id })).toBe(run_id);
  }
});

test('a document gives the same id as ever, however its keys are grouped: another one would be paid for again', () => {
  const input = parseRunInput({
    dedupe: true,
    pilot: false,
    base_model_id: 'amazon.nova-lite-v1:0',
    model_id: 'amazon.nova-lite-v1:0',
    inference_parameters: { temperature: 1, max_tokens: 9 },
    s3_uri: 's3://bucket/data.csv',
    format: 'csv',
    csv_ragged: 'pad',
    csv_quote: "'",
    csv_delimiter: ';',
    csv_encoding: 'utf-8',
    job_name_prefix: 'jokes',
    prompt_template: '{a}',
    system_prompt: 'Be brief.',
    record_id_column: 'id',
    text_column: 'text',
    output_column: 'o',
    output_schema: { a: 'string' },
    output_prefix: 'p_',
    max_num_jobs: 3,
    max_records_per_job: 200,
    max_records: 500,
    max_attempts: 2,
    retry_truncated: true,
    retry_refused: true,
    max_cost_usd: 1,
    force: true,
    fail_on: ['empty'],
    timeout_hours: 48,
  });
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  // Made by the first version that had these keys.
  expect(runIdOf(input, inputHashOf(input, '{a}', { source: [], hash }))).toBe('jokes-99814fa871');
});
