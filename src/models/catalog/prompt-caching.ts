import type { TokenPrice } from './model-facts.ts';
import { parseModelId } from './model-id.ts';

/** Share of the input price that is not paid for tokens that are read from a cache. https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html */
const CACHED_DISCOUNT = 0.9;

/**
 * Fewest tokens of a prefix that a model caches, by how its id begins; of other models nothing is said. "Prompt caching is only
 * supported for on-demand inference endpoints": https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 */
const LEAST_PREFIX: readonly (readonly [string, number])[] = [
  ['anthropic.claude-opus-5', 512],
  ['anthropic.claude-sonnet-4-5', 1024],
  ['anthropic.claude-sonnet-4-6', 1024],
  ['anthropic.claude-sonnet-5', 1024],
  ['anthropic.claude-haiku-4-5', 4096],
  ['anthropic.claude-opus-4-5', 4096],
  ['anthropic.claude-opus-4-6', 4096],
];

/** What a row's tokens are, on average. */
export interface CachedRow {
  /** At the beginning of every row's input alike. */
  prefix: number;
  /** All of the input, the prefix included. */
  input: number;
}

/** What batch and on demand with prompt caching come to for one row. */
export interface CachingPrices {
  batch: TokenPrice;
  on_demand: TokenPrice;
}

/**
 * Output tokens of a row below which on demand with prompt caching is cheaper than batch, once the prefix is in the cache; undefined where it never
 * is, or the model is not known to cache so short a prefix.
 */
export function cheaperCachedBelow(
  modelId: string,
  { prefix, input }: CachedRow,
  { batch, on_demand }: CachingPrices,
): number | undefined {
  const { baseModelId } = parseModelId(modelId);
  const least = LEAST_PREFIX.find(([start]) => baseModelId?.startsWith(start))?.[1];
  if (least === undefined || prefix < least) return undefined;
  const saved = batch.input * input - on_demand.input * (input - CACHED_DISCOUNT * prefix);
  const dearer = on_demand.output - batch.output;
  return saved <= 0 || dearer <= 0 ? undefined : saved / dearer;
}

/** Dollars of a row on demand whose prefix is in the cache. */
export function cachedUsd({ prefix, input }: CachedRow, output: number, price: TokenPrice): number {
  return (price.input * (input - CACHED_DISCOUNT * prefix) + price.output * output) / 1_000_000;
}
