import { expect, test } from 'vitest';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { errorColumnsOf, type RunSummary } from '../../../src/core/run/summary.ts';
import { variantViews } from '../../../src/core/run/variant-view.ts';

const INPUT = {
  s3_uri: 's3://b/rows.csv',
  model_id: 'anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_template: '{x}',
};
const variant = (name: string) => ({
  name,
  output_column: 'response',
  share: { parts: 1, on_demand_rows: 2, estimate: { max_usd: 3 } },
});
const rows = (succeeded: number) => ({ total: 4, succeeded, failed: 4 - succeeded, not_sent: 0 });

test('a variant of a run that has ended is seen as a run of it alone', () => {
  const input = { ...INPUT, variants: { a: {}, b: { prompt_template: 'B {x}' } } };
  const plan = { run_id: 'r', input, parts: 2, variants: [variant('a'), variant('b')] } as unknown as RunPlan;
  const summary = {
    run_id: 'r',
    rows: rows(1),
    model_id: 'm, n',
    waves: 2,
    mended: 1,
    variants: [
      { name: 'a', model_id: 'm', rows: rows(3), whole_usd: 5 },
      { name: 'b', model_id: 'n', rows: rows(4), whole_usd: 5 },
    ],
  } as unknown as RunSummary;
  const own = { ...INPUT, prompt_template: 'B {x}' };
  expect(variantViews(plan, summary)[1]).toEqual({
    plan: {
      run_id: 'r:b',
      input: own,
      parts: 1,
      on_demand_rows: 2,
      estimate: { max_usd: 3 },
      variants: [{ output_column: 'response' }],
    },
    summary: { run_id: 'r:b', rows: rows(4), model_id: 'n', waves: 2, input: own },
  });
  expect(errorColumnsOf(summary)).toEqual(['error_code_a', 'error_code_b']);
});

test('a run without variants has none to be seen', () => {
  const summary = { rows: rows(4) } as unknown as RunSummary;
  expect(variantViews({ input: INPUT } as unknown as RunPlan, summary)).toEqual([]);
  expect(errorColumnsOf(summary)).toEqual(['error_code']);
});
