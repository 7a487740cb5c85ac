import { describe, expect, test } from 'vitest';
import { parseRunInput, variantsOf } from '../../../src/core/run-input/run-input.ts';

const GIVEN = {
  s3_uri: 's3://bucket/rows.csv',
  model_id: 'anthropic.claude-haiku-4-5-20251001-v1:0',
  base_model_id: 'anthropic.claude-haiku-4-5-20251001-v1:0',
  prompt_id: 'summary',
  inference_parameters: { max_tokens: 50, temperature: 1 },
};
const NOVA = 'amazon.nova-lite-v1:0';

const parse = (keys: Record<string, unknown>) => parseRunInput({ ...GIVEN, ...keys });

test('a run input without variants is its own only one', () => {
  const input = parse({});
  expect(variantsOf(input)).toEqual([{ name: undefined, input }]);
});

test('a variant is the run input but for what it says', () => {
  const input = parse({
    output_schema: { label: 'a | b' },
    output_schema_form: 'prompt',
    variants: {
      same: {},
      text: { prompt_template: '{x}', output_schema: null, inference_parameters: { temperature: null } },
      nova: { model_id: NOVA, inference_parameters: { top_p: 0.5 }, system_prompt: undefined },
    },
  });
  const { variants: _, ...alone } = input;
  const { prompt_id: __, output_schema: ___, output_schema_form: ____, ...bare } = alone;
  const { base_model_id: _____, ...unnamed } = alone;
  expect(variantsOf(input)).toEqual([
    { name: 'same', input: alone },
    { name: 'text', input: { ...bare, prompt_template: '{x}', inference_parameters: { max_tokens: 50 } } },
    {
      name: 'nova',
      input: {
        ...unnamed,
        model_id: NOVA,
        inference_parameters: { max_tokens: 50, temperature: 1, top_p: 0.5 },
      },
    },
  ]);
});

test('the model may be named by the variants alone', () => {
  const { model_id: _, base_model_id: __, ...given } = GIVEN;
  const variants = { a: { model_id: NOVA }, b: { model_id: GIVEN.model_id } };
  expect(parseRunInput({ ...given, variants }).model_id).toBe(NOVA);
  expect(() => parseRunInput({ ...given, variants: { ...variants, c: {} } })).toThrow('model_id: is missing');
  expect(() => parseRunInput({ ...given, variants: { ...variants, c: 'x' } })).toThrow(
    'model_id: is missing',
  );
});

test('prices are those of the variants’ models', () => {
  const price = { input_per_million: 1, output_per_million: 2 };
  const variants = { same: {}, nova: { model_id: NOVA } };
  expect(parse({ variants, prices: { [NOVA]: price } }).prices).toEqual({ [NOVA]: price });
  expect(() => parse({ variants, prices: { other: price } })).toThrow(
    'prices: names "other", which is no variant’s model',
  );
});

describe('one of the variants, chosen,', () => {
  const variants = { a_1: { prompt_template: '{x}' }, b: {} };

  test('is an ordinary run input of all rows, which takes kept answers', () => {
    const { prompt_id: _, ...others } = GIVEN;
    expect(parse({ variants, variant: 'a_1', run_id: 'trial' })).toEqual({
      ...others,
      prompt_template: '{x}',
      run_id: 'trial-a-1',
      reuse: true,
    });
    expect(parse({ variants, variant: 'b', reuse: false })).toEqual({ ...GIVEN, reuse: false });
    expect(parse({ variants, variant: 'b', dedupe: true })).toEqual({ ...GIVEN, dedupe: true, reuse: true });
    expect(parse({ variants, variant: 'b', dedupe: false })).toEqual({ ...GIVEN, reuse: true });
  });

  test('must be there', () => {
    expect(() => parse({ variants, variant: 'c' })).toThrow('variant: there is no "c": there are a_1, b');
    expect(() => parse({ variant: 'a' })).toThrow('variant: goes with variants, and names one of them');
  });
});

test.each([
  [{ variants: { a: {} } }, 'variants: has 1. Give two to 8, or leave it out'],
  [{ variants: 'x' }, 'variants: has 0. Give two to 8, or leave it out'],
  [{ variants: { a: {}, B: {} } }, 'variants: "B" is no name: use up to 24 small letters and digits'],
  [{ variants: { a: {}, [`b${'c'.repeat(24)}`]: {} } }, 'is no name'],
  [{ variants: { a: {}, b: { max_cost_usd: 1 } } }, 'variants.b: max_cost_usd is the same for all variants'],
  [
    { variants: { a: {}, b: { modelid: 'x' } } },
    'variants.b: "modelid" is not one of them (did you mean "model_id"?)',
  ],
  [
    { variants: { a: {}, b: { inference_parameters: { max_token: 1 } } } },
    'Variant "b": The run input is not valid.',
  ],
  [{ variants: { a: {}, b: {} }, dedupe: true }, 'dedupe: does not go with variants: each row is sent once'],
  [{ variants: { a: {}, b: {} }, reuse: true }, 'reuse: does not go with variants'],
  [{ variants: { a: {}, b: {} }, max_num_jobs: 2 }, 'max_num_jobs: does not go with variants'],
] as const)('%j is refused', (keys, message) => {
  expect(() => parse(keys)).toThrow(message);
});
