import { plannedRecords } from '../../core/plan/run-plan.ts';
import { priceOfRun } from '../../models/catalog/prices.ts';
import { cachedUsd, cheaperCachedBelow } from '../../models/catalog/prompt-caching.ts';
import { inputTexts } from '../../models/input-texts.ts';
import type { PlanDraft } from '../../steps/plan/draft-plan.ts';

/** That on demand with prompt caching, which batch has not, could be cheaper than batch. */
export interface CachingReport {
  /** Tokens that every row's input begins with, by the rows that the plan shows. */
  prefix_tokens: number;
  /** It is cheaper where answers have fewer output tokens than this on average. */
  cheaper_below_output_tokens: number;
  /** Dollars of the whole run that way, with as many output tokens as are expected; null where nothing is expected. */
  expected_usd: number | null;
}

/** What is to be said of prompt caching; null where batch is cheaper, or nothing is known of the model's caching or of what rows share. */
export function reportCaching(
  { plan, preview }: Pick<PlanDraft, 'plan' | 'preview'>,
  expectedOutput: number | undefined,
): CachingReport | null {
  // Variants begin each in its own way.
  if (plan.variants.length > 1) return null;
  const price = priceOfRun(plan);
  const rows = plannedRecords(plan);
  const records = preview?.records ?? [];
  if (price === undefined || rows === 0 || records.length < 2) return null;
  const input = plan.estimate.input_tokens / rows;
  const prefix = input * sharedShare(records.map(({ record }) => textsOf(record)));
  const [variant] = plan.variants;
  const modelId = variant.model.base_model_id ?? variant.model.model_id;
  const below = cheaperCachedBelow(modelId, { prefix, input }, price);
  if (below === undefined) return null;
  return {
    prefix_tokens: Math.round(prefix),
    cheaper_below_output_tokens: Math.floor(below),
    expected_usd:
      expectedOutput === undefined
        ? null
        : rows * cachedUsd({ prefix, input }, expectedOutput / rows, price.on_demand),
  };
}

function textsOf(record: string): string[] {
  return inputTexts((JSON.parse(record) as { modelInput: unknown }).modelInput);
}

/** Share of their characters that rows have alike before they differ: whole texts, and how the first other one begins. */
function sharedShare(rows: readonly string[][]): number {
  const [first = [], ...others] = rows;
  const all = rows.reduce((sum, texts) => sum + texts.join('').length, 0) / rows.length;
  let shared = 0;
  let hasDiffered = false;
  for (const [index, text] of first.entries()) {
    const alike = Math.min(text.length, ...others.map((texts) => commonStart(text, texts[index] ?? '')));
    if (alike === text.length) shared += alike;
    else if (!hasDiffered) {
      shared += alike;
      hasDiffered = true;
    }
  }
  return all === 0 ? 0 : Math.min(1, shared / all);
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
