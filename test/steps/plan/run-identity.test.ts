import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';
import { runIdOf } from '../../../src/steps/plan/run-identity.ts';

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
