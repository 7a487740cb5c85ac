import { batchPriceOf, costUsd, ON_DEMAND_FACTOR } from '../../models/catalog/prices.ts';
import type { Turn } from './turns.ts';

/** Dollars that these turns took by the tokens of their answers; null where no price of the model is known. */
export function spentUsd(turns: readonly Turn[], modelId: string): number | null {
  const price = batchPriceOf(modelId);
  if (price === undefined) return null;
  return turns.reduce(
    (sum, { part, ledger }) =>
      sum + costUsd(price, ledger.tokens) * (part.mode === 'on_demand' ? ON_DEMAND_FACTOR : 1),
    0,
  );
}
