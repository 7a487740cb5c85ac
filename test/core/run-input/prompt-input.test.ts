import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';

const MINIMAL = { s3_uri: 's3://bucket/a.csv', model_id: 'us.amazon.nova-lite-v1:0' };

test.each([
  [
    { prompt_id_column: 'kind', prompt_id: 'x', prompt_templates: {} },
    ['prompt_templates: has no prompt', 'prompt_id_column: give prompt_id_column or prompt_id, not both'],
  ],
  [
    { prompt_id_column: 'kind', prompt_template: '{x}' },
    ['prompt_id_column: give prompt_id_column or prompt_template, not both'],
  ],
  [
    { prompt_template: '{x}', prompt_templates: { a: '{b}' } },
    ['prompt_templates: goes with prompt_id_column, which chooses among them'],
  ],
])('%j is refused with every fault', (keys, faults) => {
  expect(() => parseRunInput({ ...MINIMAL, ...keys })).toThrow(
    `The run input is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
});
