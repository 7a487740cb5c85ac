import { type CostEstimate, plannedRecords, type RunPlan } from '../core/plan/run-plan.ts';
import { pricesOfRun } from '../models/catalog/prices.ts';
import { type RunSnapshot, totalsOf } from './run-snapshot.ts';

/** Dollars of a run by the price table; each null where it is not known. */
export interface RunDollars {
  /** False where no AWS account pays: then all of it is what Bedrock would take. */
  billed: boolean;
  /** For the tokens of what is collected. */
  so_far: number | null;
  /** Of the whole run: by what the collected parts took, before there are any as the plan expects it. */
  expected: number | null;
  /** With the longest answers, every row sent once. */
  most: number | null;
  /** `max_cost_usd`. */
  cap: number | null;
}

/** What a run has taken so far, beside what the whole is expected to, and what it may be. */
export function runDollars(snapshot: RunSnapshot, billed: boolean): RunDollars {
  const { plan } = snapshot;
  const cap = plan?.input.max_cost_usd;
  const isPriced = plan === null || pricesOfRun(plan) !== undefined;
  const soFar = isPriced ? totalsOf(snapshot).costUsd : null;
  return {
    billed,
    so_far: soFar,
    expected: isPriced ? expectedOf(snapshot) : null,
    most: plan?.estimate.max_usd ?? null,
    cap: typeof cap === 'number' ? cap : null,
  };
}

/** The records of a variant that are left cost what its collected ones did on average. */
function expectedOf(snapshot: RunSnapshot): number | null {
  const { plan } = snapshot;
  if (plan === null) return null;
  const each = plan.variants.map(({ share }, index) => {
    const parts = Object.entries(snapshot.parts).filter(([, { part }]) => part.variant === index);
    return expectedOfVariant(plan, { ...snapshot, parts: Object.fromEntries(parts) }, share?.estimate);
  });
  return each.reduce<number | null>((sum, usd) => (sum === null || usd === null ? null : sum + usd), 0);
}

function expectedOfVariant(
  plan: RunPlan,
  snapshot: RunSnapshot,
  { expected }: CostEstimate = plan.estimate,
): number | null {
  const soFar = totalsOf(snapshot).costUsd;
  const all = Object.values(snapshot.parts);
  const collected = all.flatMap(({ part, result }) => (result === null ? [] : [part.records]));
  const done = collected.reduce((sum, records) => sum + records, 0);
  if (soFar === null || soFar === 0 || done === 0) return expected?.usd ?? null;
  const repairs = all.filter(({ part }) => part.sources.length > 0);
  const ofRepairs = repairs.reduce((sum, { part }) => sum + part.records, 0);
  const left = Math.max(0, plannedRecords(plan) + ofRepairs - done);
  return soFar + (soFar / done) * left;
}
