import { factsOf, MODEL_CATALOG } from './model-catalog.ts';
import type { TokenPrice } from './model-facts.ts';
import { parseModelId } from './model-id.ts';

/** Day on which the newest price was read. Prices differ by region and change: they are an estimate, never a bill. */
export const PRICES_AS_OF = MODEL_CATALOG.flatMap(({ price }) => (price === undefined ? [] : [price.date]))
  .toSorted()
  .at(-1) as string;

/** How much dearer a record is on demand than in a job. https://aws.amazon.com/bedrock/pricing/ */
export const ON_DEMAND_FACTOR = 2;

/** The batch price of a model, or undefined where none is known. */
export function batchPriceOf(modelId: string): TokenPrice | undefined {
  const { baseModelId, profilePrefix } = parseModelId(modelId);
  const price = factsOf(baseModelId)?.price;
  if (price === undefined) return undefined;
  return profilePrefix === 'global' ? price.batch : (price.regional ?? price.batch);
}

/** Dollars for these tokens. */
export function costUsd(price: TokenPrice, tokens: { input: number; output: number }): number {
  return (price.input * tokens.input + price.output * tokens.output) / 1_000_000;
}
