import { costUsd, type RunPrice } from '../../models/catalog/prices.ts';
import type { Turn } from './turns.ts';

/** Dollars that these turns took by the tokens of their answers; null where no price of the model is known. */
export function spentUsd(turns: readonly Turn[], price: RunPrice | undefined): number | null {
  if (price === undefined) return null;
  return turns.reduce(
    (sum, { part, ledger }) =>
      sum + costUsd(part.mode === 'on_demand' ? price.on_demand : price.batch, ledger.tokens),
    0,
  );
}
