import { expect, test } from 'vitest';
import { priceAmong } from '../../../src/core/run-input/prices.ts';
import { parseRunInput } from '../../../src/core/run-input/run-input.ts';

const PRICE = { input_per_million: 1, output_per_million: 2 };
const GIVEN = { s3_uri: 's3://bucket/a.csv', model_id: 'us.amazon.nova-lite-v1:0' };

test('the price of a model is found by its own id first, then by the one that its price goes by', () => {
  const prices = { own: PRICE, base: { ...PRICE, output_per_million: 3 } };
  expect(priceAmong(prices, { model_id: 'own', base_model_id: 'base' })).toBe(prices.own);
  expect(priceAmong(prices, { model_id: 'arn', base_model_id: 'base' })).toBe(prices.base);
  expect(priceAmong(prices, { model_id: 'toString' })).toBeUndefined();
  expect(priceAmong(undefined, { model_id: 'own' })).toBeUndefined();
});

test.each([
  [
    { 'us.amazon.nova-lite-v1:0': { ...PRICE, input_per_milion: 1 } },
    'prices.us.amazon.nova-lite-v1:0: "input_per_milion" is not one of them (did you mean "input_per_million"?)',
  ],
  [
    { 'us.amazon.nova-lite-v1:0': { input_per_million: 1 } },
    'prices.us.amazon.nova-lite-v1:0.output_per_million: Invalid input: expected number, received undefined',
  ],
  [
    { 'us.amazon.nova-lite-v1:0': { ...PRICE, output_per_million: -1 } },
    'prices.us.amazon.nova-lite-v1:0.output_per_million: Too small: expected number to be >=0',
  ],
  [
    { 'us.amazon.nova-lit': PRICE, other: PRICE },
    'prices: names "us.amazon.nova-lit", "other", and not this run’s model "us.amazon.nova-lite-v1:0"',
  ],
  [{}, 'prices: names no model, and not this run’s model "us.amazon.nova-lite-v1:0"'],
])('prices %j are refused by name', (prices, message) => {
  expect(() => parseRunInput({ ...GIVEN, prices })).toThrow(`The run input is not valid.\n  - ${message}`);
});

test('prices of the model, of others beside it, and of a model that is not named are taken', () => {
  const prices = { 'us.amazon.nova-lite-v1:0': PRICE, other: PRICE };
  expect(parseRunInput({ ...GIVEN, prices }).prices).toEqual(prices);
  expect(() => parseRunInput({ s3_uri: GIVEN.s3_uri, prices })).toThrow(
    'The run input is not valid.\n  - model_id: is missing',
  );
});
