import { z } from 'zod';

const Usd = z.number().min(0);

/** US dollars for a million tokens of a model. */
export const ModelPrice = z.strictObject({
  /** In batch. */
  input_per_million: Usd,
  /** In batch; 0 for embeddings. */
  output_per_million: Usd,
  /** For rows that are run on demand; by default twice the price in batch. */
  on_demand_input_per_million: Usd.optional(),
  on_demand_output_per_million: Usd.optional(),
});
export type ModelPrice = z.infer<typeof ModelPrice>;

/** Prices by the ids of models. */
export const Prices = z.record(z.string().min(1), ModelPrice);
export type Prices = z.infer<typeof Prices>;

/** Every key of a price. */
export const PRICE_KEYS = Object.keys(ModelPrice.shape);

/** The model of a run, as its input names it. */
export interface PricedModel {
  model_id?: string | undefined;
  base_model_id?: string | undefined;
}

/** The price of a run's model among others, by its own id or the one that its price goes by; undefined where there is none. */
export function priceAmong(
  prices: Prices | undefined,
  { model_id, base_model_id }: PricedModel,
): ModelPrice | undefined {
  const id = [model_id, base_model_id].find(
    (name) => name !== undefined && prices !== undefined && Object.hasOwn(prices, name),
  );
  return id === undefined ? undefined : prices?.[id];
}
