import { describe, expect, test } from 'vitest';
import { batchPriceOf, costUsd, PRICES_AS_OF } from '../../../src/models/catalog/prices.ts';

describe('the batch price', () => {
  test.each([
    ['anthropic.claude-3-haiku-20240307-v1:0', 0.125, 0.625],
    ['anthropic.claude-3-sonnet-20240229-v1:0', 1.5, 7.5],
    ['us.anthropic.claude-3-5-sonnet-20241022-v2:0', 1.5, 7.5],
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', 1.5, 7.5],
    ['amazon.nova-pro-v1:0', 0.4, 1.6],
    ['amazon.titan-embed-text-v2:0', 0.01, 0],
    ['zai.glm-4.7', 0.3, 1.1],
    ['zai.glm-4.7-flash', 0.035, 0.2],
    ['openai.gpt-oss-120b-1:0', 0.075, 0.3],
  ])('of %s is that of the table', (modelId, input, output) => {
    expect(batchPriceOf(modelId)).toEqual({ input, output });
  });

  test('of Claude 4.5 is a tenth higher through a region than through global.', () => {
    const haiku = 'anthropic.claude-haiku-4-5-20251001-v1:0';
    expect(batchPriceOf(`global.${haiku}`)).toEqual({ input: 0.5, output: 2.5 });
    expect(batchPriceOf(`us.${haiku}`)).toEqual({ input: 0.55, output: 2.75 });
    expect(batchPriceOf(haiku)).toEqual({ input: 0.55, output: 2.75 });
  });

  test('of Nova 2 Lite differs by region as listed', () => {
    expect(batchPriceOf('global.amazon.nova-2-lite-v1:0')).toEqual({ input: 0.15, output: 1.25 });
    expect(batchPriceOf('us.amazon.nova-2-lite-v1:0')).toEqual({ input: 0.1595, output: 1.3255 });
  });

  test.each([
    'anthropic.claude-opus-4-20250514-v1:0',
    'nobody.unheard-of-v1:0',
    'arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6',
  ])('of %s is not known', (modelId) => {
    expect(batchPriceOf(modelId)).toBeUndefined();
  });
});

test('two million tokens in and a million out of Nova Micro cost ten and a half cents', () => {
  const price = batchPriceOf('us.amazon.nova-micro-v1:0');
  expect(price && costUsd(price, { input: 2_000_000, output: 1_000_000 })).toBeCloseTo(0.105, 10);
});

test('the price table says of which day it is', () => {
  expect(PRICES_AS_OF).toMatch(/^\d{4}-\d{2}-\d{2}$/);
});
