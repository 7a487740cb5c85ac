import type { RunPlan, VariantShare } from '../plan/run-plan.ts';
import { parseRunInput, variantsOf } from '../run-input/run-input.ts';
import type { RunSummary } from './summary.ts';

/** One of a run's variants as if it had been run alone. */
export interface VariantView {
  plan: RunPlan;
  summary: RunSummary;
}

/** Each variant of a run that has ended, as if it had been run alone under the name `run:variant`; none where there is one alone. */
export function variantViews(plan: RunPlan, summary: RunSummary): VariantView[] {
  const { variants = [], agreement: _agreement, ...whole } = withoutAnswers(summary);
  if (variants.length === 0) return [];
  const inputs = variantsOf(parseRunInput(plan.input));
  return variants.map(({ name, whole_usd: _, ...own }, index) => {
    const { name: __, share, ...variant } = plan.variants[index] as RunPlan['variants'][number];
    const { estimate, parts, on_demand_rows } = share as VariantShare;
    const input: Record<string, unknown> = { ...inputs[index]?.input };
    const run_id = `${plan.run_id}:${name}`;
    return {
      plan: { ...plan, run_id, input, variants: [variant], estimate, parts, on_demand_rows },
      summary: { ...whole, ...own, run_id, input },
    };
  });
}

/** A summary without what is known of the answers of all variants together alone. */
function withoutAnswers(summary: RunSummary): RunSummary {
  const { columns: _, stop_reasons: __, mended: ___, checked: ____, violations: _____, ...rest } = summary;
  return rest;
}
