import { expect, test } from 'vitest';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';
import { loadTokenizer } from '../../../src/models/tokenizer.ts';
import type { SeenRow } from '../../../src/rows/prepare/look-at-rows.ts';
import { estimateCost } from '../../../src/steps/plan/cost-estimate.ts';
import { countInput } from '../../../src/steps/plan/count-input.ts';
import { modelCallOf } from '../../../src/steps/plan/model-call.ts';

const GPT_OSS = 'openai.gpt-oss-20b-1:0';

function inputOf(modelId: string, more: Record<string, unknown> = {}) {
  return parseRunInput({ s3_uri: 's3://b/a.csv', model_id: modelId, prompt_template: 'Say {a}', ...more });
}

function rowsOf(texts: readonly string[]): SeenRow[] {
  return texts.map((text, row) => ({ row, record_id: `r${row}`, strings: [`Say ${text}`] }));
}

function meanBytesOf(rows: readonly SeenRow[]): number {
  return rows.reduce((sum, { strings }) => sum + Buffer.byteLength(strings[0] ?? ''), 0) / rows.length;
}

test('the tokenizer of gpt-oss counts prompts, turns, system prompt and schema, and only these', async () => {
  const count = await loadTokenizer();
  const input = inputOf(GPT_OSS, {
    system_prompt: 'Be brief.',
    messages: [
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Two' },
    ],
  });
  const call = modelCallOf(input);
  const sample = [{ row: 0, record_id: 'r0', strings: ['One', 'Two', 'Say hello'] }];
  const request = { call, modelId: GPT_OSS, sample, meanBytes: meanBytesOf(sample) };
  const counted = await countInput(request, { tokenizer: loadTokenizer });
  const texts = ['Be brief.', 'One', 'Two', 'Say hello'];
  expect(counted?.each).toBe(texts.reduce((sum, text) => sum + count(text) + 4, 0));
  expect(counted).toMatchObject({ counted: { by: 'tokenizer', rows: 1, family_error: 0 }, error: 0 });
  const schema = inputOf(GPT_OSS, { output_schema: { mood: 'good | bad' } });
  const held = { ...request, sample: rowsOf(['hello']), call: modelCallOf(schema) };
  const withSchema = await countInput(held, { tokenizer: loadTokenizer });
  expect(withSchema?.each).toBeGreaterThan(20);
});

test('what looks like a special token is text, and a long run without a blank takes no time', async () => {
  const count = await loadTokenizer();
  expect(count('<|endoftext|>')).toBeGreaterThan(3);
  expect(count('The quick brown fox jumps over the lazy dog.')).toBe(10);
  // Without cutting the run this would be minutes of work.
  expect(count('世界你好'.repeat(25_000))).toBeGreaterThan(40_000);
});

test('Bedrock’s own count comes first, and where it may not be asked the plan says why', async () => {
  const modelId = 'us.amazon.nova-lite-v1:0';
  const call = modelCallOf(inputOf(modelId));
  const sample = rowsOf(Array.from({ length: 80 }, (_, index) => 'word '.repeat(index + 1)));
  const request = { call, modelId, sample, meanBytes: meanBytesOf(sample) };
  const asked: unknown[] = [];
  const byBedrock = await countInput(request, {
    countTokens: async (_id, type, bodies) => {
      asked.push(type, bodies[0]);
      return bodies.map((_, index) => 10 + index);
    },
  });
  expect(asked[0]).toBe('InvokeModel');
  expect(JSON.stringify(asked[1])).toContain('Say word');
  expect(byBedrock).toMatchObject({
    counted: { by: 'count_tokens', rows: 50, family_error: 0 },
    // By the line through the fifty, where all eighty are on average.
    each: expect.closeTo(10 + 39.5, 6),
    notes: [],
  });
  const refused = await countInput(request, {
    countTokens: () => Promise.reject(new Error('You may not do bedrock:CountTokens.')),
    tokenizer: loadTokenizer,
  });
  expect(refused).toMatchObject({ counted: { by: 'tokenizer', rows: 80, family_error: 0.35 } });
  expect(refused?.notes).toEqual([
    'You may not do bedrock:CountTokens. So input tokens are not counted by CountTokens, which is free of charge, but by a tokenizer here.',
  ]);
  const none = await countInput(request, { countTokens: async () => undefined, tokenizer: loadTokenizer });
  expect(none).toMatchObject({ counted: { by: 'tokenizer' }, notes: [] });
  expect(await countInput(request, {})).toBeUndefined();
  expect(await countInput({ ...request, sample: [] }, { tokenizer: loadTokenizer })).toBeUndefined();
});

test('the most that a run can cost goes by the count with all that it may be off, and is never below four bytes a token', () => {
  const input = inputOf('us.amazon.nova-lite-v1:0', { inference_parameters: { max_tokens: 100 } });
  const size = { rows: 1_000, onDemandRows: 0, meanPromptBytes: 400 };
  const counted = { by: 'tokenizer', rows: 200, family_error: 0.35 } as const;
  const dense = estimateCost(input, modelCallOf(input), {
    ...size,
    count: { each: 200, error: 0.35, counted },
  });
  expect(dense).toMatchObject({ input_tokens: 200_000, max_input_tokens: 270_000, counted });
  expect(dense.input_usd).toBeCloseTo(0.006);
  expect(dense.max_usd).toBeCloseTo(0.0081 + 0.012);
  const thin = estimateCost(input, modelCallOf(input), { ...size, count: { each: 10, error: 0, counted } });
  expect(thin).toMatchObject({ input_tokens: 10_000, max_input_tokens: 100_000 });
});
