import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';

test.for([
  [{ rerun_of: 'a' }, 'rerun_of: rerun_of and rerun_rows go together'],
  [{ rerun_rows: ['failed'] }, 'rerun_rows: rerun_of and rerun_rows go together'],
  [{ rerun_of: 'a', rerun_rows: ['wrong'] }, 'use failed, truncated or refused'],
  [
    { rerun_of: 'a', rerun_rows: ['failed'], run_id: 'a' },
    'rerun_of: is the run_id of this run. Name the new run otherwise',
  ],
  [
    { rerun_of: 'a', rerun_rows: ['failed'], reuse: true },
    'reuse: takes the answers of all former runs, and rerun_of those of one. Leave one of them out',
  ],
] as const)('a rerun that is none is refused: %s', ([keys, message]) => {
  const input = { s3_uri: 's3://bucket/a.csv', model_id: 'amazon.nova-lite-v1:0', prompt_template: '{text}' };
  expect(() => parseRunInput({ ...input, ...keys })).toThrow(message);
});
