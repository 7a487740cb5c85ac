import { answeredHere } from '../../core/run/ledger.ts';
import { costUsd, type RunPrice } from '../../models/catalog/prices.ts';
import type { Turn } from './turns.ts';

/**
 * Dollars that these turns took by the tokens of their answers; null where no price of the model is known, or no answer tells its
 * tokens.
 */
export function spentUsd(turns: readonly Turn[], price: RunPrice | undefined): number | null {
  if (price === undefined) return null;
  const isAnswered = turns.some(({ ledger }) => answeredHere(ledger.rows) > 0);
  if (isAnswered && turns.every(({ ledger: { tokens } }) => tokens.input + tokens.output === 0)) return null;
  return turns.reduce(
    (sum, { part, ledger }) =>
      sum + costUsd(part.mode === 'on_demand' ? price.on_demand : price.batch, ledger.tokens),
    0,
  );
}
