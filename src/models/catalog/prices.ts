import { pricedModelOf, type RunPlan } from '../../core/plan/run-plan.ts';
import { Prices, priceAmong } from '../../core/run-input/prices.ts';
import { factsOf, MODEL_CATALOG } from './model-catalog.ts';
import type { TokenPrice } from './model-facts.ts';
import { parseModelId } from './model-id.ts';

/** Day on which the newest price was read. Prices differ by region and change: they are an estimate, never a bill. */
export const PRICES_AS_OF = MODEL_CATALOG.flatMap(({ price }) => (price === undefined ? [] : [price.date]))
  .toSorted()
  .at(-1) as string;

/** How much dearer a record is on demand than in a job. https://aws.amazon.com/bedrock/pricing/ */
export const ON_DEMAND_FACTOR = 2;

/** What the tokens of a run's model cost, by the way that a record is sent. */
export interface RunPrice {
  batch: TokenPrice;
  on_demand: TokenPrice;
  /** True where the run input says it, and not the catalogue. */
  isGiven: boolean;
}

/** A run's model by its id, and by what the catalogue has its price under; and the prices that hold before the catalogue's. */
export interface PricedRun {
  modelId: string;
  pricedId: string;
  prices: Prices | undefined;
}

/** What a run's model costs; undefined where neither the run input nor the catalogue knows it. */
export function runPriceOf({ modelId, pricedId, prices }: PricedRun): RunPrice | undefined {
  const given = priceAmong(prices, { model_id: modelId, base_model_id: pricedId });
  const batch =
    given === undefined
      ? batchPriceOf(pricedId)
      : { input: given.input_per_million, output: given.output_per_million };
  if (batch === undefined) return undefined;
  return {
    batch,
    on_demand: {
      input: given?.on_demand_input_per_million ?? batch.input * ON_DEMAND_FACTOR,
      output: given?.on_demand_output_per_million ?? batch.output * ON_DEMAND_FACTOR,
    },
    isGiven: given !== undefined,
  };
}

/** What the models of a planned run cost, in the order of its variants; undefined where the price of one is not known. */
export function pricesOfRun(plan: Pick<RunPlan, 'variants' | 'input'>): RunPrice[] | undefined {
  const prices = Prices.optional().catch(undefined).parse(plan.input.prices);
  const each = plan.variants.flatMap(
    (variant) =>
      runPriceOf({ modelId: variant.model.model_id, pricedId: pricedModelOf(variant), prices }) ?? [],
  );
  return each.length === plan.variants.length ? each : undefined;
}

/** What the model of a planned run costs; of several variants, that of the first. */
export function priceOfRun(plan: Pick<RunPlan, 'variants' | 'input'>): RunPrice | undefined {
  return pricesOfRun({ ...plan, variants: [plan.variants[0]] })?.[0];
}

/** The batch price of a model in the catalogue, or undefined where none is known. */
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
