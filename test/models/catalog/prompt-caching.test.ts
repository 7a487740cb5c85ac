import { expect, test } from 'vitest';
import { cachedUsd, cheaperCachedBelow } from '../../../src/models/catalog/prompt-caching.ts';

const HAIKU = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const price = { batch: { input: 0.5, output: 2.5 }, on_demand: { input: 1, output: 5 } };

test('a long prefix and a short answer are cheaper on demand with prompt caching', () => {
  const row = { prefix: 6000, input: 6400 };
  const below = cheaperCachedBelow(HAIKU, row, price) ?? 0;
  expect(below).toBeCloseTo((0.5 * 6400 - 1000 / 1) / 2.5, 6);
  expect(cachedUsd(row, 20, price.on_demand)).toBeCloseTo(0.0011, 6);
  // Just there both cost the same.
  const batchUsd = (0.5 * row.input + 2.5 * below) / 1e6;
  expect(cachedUsd(row, below, price.on_demand)).toBeCloseTo(batchUsd, 12);
});

test('nothing is said where the prefix is short, where models are not known to cache, or where batch is always cheaper', () => {
  expect(cheaperCachedBelow(HAIKU, { prefix: 4000, input: 4100 }, price)).toBeUndefined();
  expect(cheaperCachedBelow('amazon.nova-lite-v1:0', { prefix: 9000, input: 9100 }, price)).toBeUndefined();
  expect(cheaperCachedBelow(HAIKU, { prefix: 5000, input: 10_000 }, price)).toBeUndefined();
  const same = { batch: price.batch, on_demand: { input: 0.5, output: 2.5 } };
  expect(cheaperCachedBelow(HAIKU, { prefix: 6000, input: 6400 }, same)).toBeUndefined();
});
