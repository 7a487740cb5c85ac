import { addTokenCounts, answeredHere } from '../../core/run/ledger.ts';
import type { AccountLine } from '../../core/run/summary.ts';
import { costUsd, type RunPrice } from '../../models/catalog/prices.ts';
import type { Turn } from './turns.ts';

/**
 * Dollars that these turns took by the tokens of their answers and the prices of their variants; null where no price of a model is
 * known, or no answer tells its tokens.
 */
export function spentUsd(turns: readonly Turn[], prices: readonly RunPrice[] | undefined): number | null {
  if (prices === undefined) return null;
  const isAnswered = turns.some(({ ledger }) => answeredHere(ledger.rows) > 0);
  if (isAnswered && turns.every(({ ledger: { tokens } }) => tokens.input + tokens.output === 0)) return null;
  return turns.reduce((sum, { part, ledger }) => {
    const price = prices[part.variant] as RunPrice;
    return sum + costUsd(part.mode === 'on_demand' ? price.on_demand : price.batch, ledger.tokens);
  }, 0);
}

/** A model of a run, and its price where one is known. */
export interface AccountedModel {
  modelId: string;
  price: RunPrice | undefined;
}

/** What these turns took by wave, model (of their variants, in the order of the plan) and way of sending; nothing of what was not sent. */
export function accountOf(turns: readonly Turn[], models: readonly AccountedModel[]): AccountLine[] {
  const sent = turns.filter(({ part, ledger }) => part.mode !== 'none' && sentOf({ part, ledger }) > 0);
  const groups = Map.groupBy(sent, ({ part: { wave, variant, mode } }) =>
    JSON.stringify([wave, models[variant]?.modelId, mode]),
  );
  return [...groups.values()].map((group): AccountLine => {
    const [{ part }] = group as [Turn];
    // The variants of one model have one price.
    const price = models[part.variant]?.price;
    const uncounted = group.reduce((sum, { ledger }) => sum + (ledger.uncounted ?? 0), 0);
    return {
      model_id: models[part.variant]?.modelId ?? '',
      wave: part.wave,
      mode: part.mode === 'on_demand' ? 'on_demand' : 'batch',
      records: group.reduce((sum, turn) => sum + sentOf(turn), 0),
      tokens: addTokenCounts(group.map(({ ledger }) => ledger.tokens)),
      ...(uncounted === 0 ? {} : { uncounted }),
      usd: spentUsd(group, price === undefined ? undefined : models.map(() => price)),
    };
  });
}

/** Records of a turn that were sent, as far as its ledger tells. */
function sentOf({ part, ledger }: Turn): number {
  return ledger.tried ?? (ledger.job_arn === null && part.mode === 'batch' ? 0 : part.records);
}
