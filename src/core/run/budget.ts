import { z } from 'zod';

/**
 * What a part that is sent next is reckoned at: `worst`, with the longest answers that it may get, or `expected`, with answers as long as
 * those before or as the user expects them.
 */
export const BudgetMode = z.enum(['expected', 'worst']);
export type BudgetMode = z.infer<typeof BudgetMode>;

/** Dollars that a part may take, each at its own model's price. */
export interface PartUsd {
  worst: number;
  /** No more than the worst. */
  expected: number;
}

/** What a run may cost, and has cost, in dollars. */
export interface RunBudget {
  mode: BudgetMode;
  /** Infinity where the run input sets no limit. */
  maxUsd: number;
  /** What has ended really took. */
  spentUsd: number;
  /** Most that what was sent and has not ended may take. */
  openUsd: number;
}

/**
 * Dollars that the run is reckoned to have cost with each of these parts, were they sent in this order: what was really spent, the most that is open,
 * the most of the parts before it, and its own by the mode.
 */
export function reckonedUsd(
  parts: readonly PartUsd[],
  { mode, spentUsd, openUsd }: Omit<RunBudget, 'maxUsd'>,
): number[] {
  let before = spentUsd + openUsd;
  return parts.map((part) => {
    const usd = before + part[mode];
    before += part.worst;
    return usd;
  });
}

/**
 * How many of these parts, from the first one on, may be sent now. Were they and what is open to take all that they may, the run would
 * cost no more than its limit in worst mode, and more by the last part alone in expected mode.
 */
export function affordableParts(parts: readonly PartUsd[], budget: RunBudget): number {
  const first = reckonedUsd(parts, budget).findIndex((usd) => usd > budget.maxUsd);
  return first === -1 ? parts.length : first;
}
