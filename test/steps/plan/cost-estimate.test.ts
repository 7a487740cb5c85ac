import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';
import { checkBudget, estimateCost } from '../../../src/steps/plan/cost-estimate.ts';
import { modelCallOf } from '../../../src/steps/plan/model-call.ts';

const input = parseRunInput({
  s3_uri: 's3://bucket/a.csv',
  model_id: 'us.amazon.nova-lite-v1:0',
  prompt_template: '{a}',
  inference_parameters: { max_tokens: 100 },
});
const size = { rows: 1_000_000, onDemandRows: 0, meanPromptBytes: 400 };

test('the most a run can cost is its input and the longest answers, at the batch price', () => {
  const estimate = estimateCost(input, modelCallOf(input), size);
  expect(estimate.input_tokens).toBe(100_000_000);
  expect(estimate.max_output_tokens).toBe(100_000_000);
  // 100 M tokens in at $0.03 and out at $0.12 a million.
  expect(estimate.input_usd).toBeCloseTo(3);
  expect(estimate.max_usd).toBeCloseTo(15);
});

test('rows that are run on demand cost twice as much', () => {
  const batch = estimateCost(input, modelCallOf(input), { ...size, rows: 99 });
  const onDemand = estimateCost(input, modelCallOf(input), { ...size, rows: 99, onDemandRows: 99 });
  expect(onDemand.max_usd).toBeCloseTo(2 * (batch.max_usd ?? 0), 9);
  expect(onDemand.input_usd).toBeCloseTo(2 * (batch.input_usd ?? 0), 9);
});

test('what is expected of an answer has a price of its own, between the input’s and the most; and so has on demand', () => {
  const expecting = (expect_output_tokens: number) => {
    const asked = parseRunInput({ ...input, expect_output_tokens });
    return estimateCost(asked, modelCallOf(asked), size);
  };
  // 100 M tokens in at $0.03, 25 M out at $0.12 a million.
  const { expected, max_usd, on_demand_usd } = expecting(25);
  expect(expected?.output_tokens).toBe(25_000_000);
  expect(expected?.usd).toBeCloseTo(6);
  expect(on_demand_usd).toBeCloseTo(2 * (max_usd ?? 0));
  // No answer is longer than max_tokens.
  expect(expecting(500).expected).toEqual({ output_tokens: 100_000_000, usd: max_usd });
  expect(estimateCost(input, modelCallOf(input), size).expected).toBeUndefined();
});

test('embeddings have no output tokens', () => {
  const embeddings = parseRunInput({ s3_uri: 's3://bucket/a.csv', model_id: 'amazon.titan-embed-text-v2:0' });
  expect(estimateCost(embeddings, modelCallOf(embeddings), size).max_output_tokens).toBe(0);
});

test('a run that could cost more than max_cost_usd is refused with both sums', () => {
  const estimate = estimateCost(input, modelCallOf(input), size);
  expect(() => checkBudget(14, estimate)).toThrow(
    'This run could cost about $15.00 (input alone about $3.00), over max_cost_usd 14. Lower inference_parameters.max_tokens or max_records, or raise max_cost_usd; with budget_mode expected it is sent part by part, by what answers really take.',
  );
  expect(() => checkBudget(15.01, estimate)).not.toThrow();
});

test('by what is expected a run is refused that is expected to cost more, or whose input alone does', () => {
  const estimate = estimateCost(input, modelCallOf(input), size);
  expect(() => checkBudget(3.01, estimate, 'expected')).not.toThrow();
  expect(() => checkBudget(2.99, estimate, 'expected')).toThrow(
    'The input of this run alone costs about $3.00, over max_cost_usd 2.99. Lower max_records, or raise max_cost_usd.',
  );
  const expecting = { ...estimate, expected: { output_tokens: 1, usd: 5 } };
  expect(() => checkBudget(5, expecting, 'expected')).not.toThrow();
  expect(() => checkBudget(4.99, expecting, 'expected')).toThrow(
    'This run is expected to cost about $5.00, over max_cost_usd 4.99.',
  );
});

test('a budget for a model without a known price is refused, since it could not be kept', () => {
  const unknown = parseRunInput({
    s3_uri: 's3://b/a.csv',
    model_id: 'nobody.unheard-of-v1:0',
    prompt_template: '{a}',
  });
  expect(() => checkBudget(1, estimateCost(unknown, modelCallOf(unknown), size))).toThrow(
    'max_cost_usd cannot be kept: no price of this model is known.',
  );
});
