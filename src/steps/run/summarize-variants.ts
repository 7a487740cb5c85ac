import { addStopReasons, countFlaws } from '../../core/jobs/answer-flaws.ts';
import { JobRecord } from '../../core/jobs/job-record.ts';
import { SCHEMA_REFUSED } from '../../core/jobs/retry-policy.ts';
import type { RunPlan, Variant } from '../../core/plan/run-plan.ts';
import { addReasons, addRowCounts, addTokenCounts, type MergedLedger } from '../../core/run/ledger.ts';
import type { RunSummary, VariantSummary } from '../../core/run/summary.ts';
import { costUsd, pricesOfRun, type RunPrice } from '../../models/catalog/prices.ts';
import { ownOutputOf, type RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { spentUsd } from '../waves/run-cost.ts';
import type { Turn } from '../waves/turns.ts';
import type { PlannedRun } from './read-plan.ts';

/** All that the parts of one variant left. */
export interface EndedVariant {
  variant: Variant;
  turns: readonly Turn[];
  /** In the order of its rows. */
  finals: readonly MergedLedger[];
}

/** What the parts of each variant left, in the order of the plan. */
export function endedVariants(
  { plan }: Pick<PlannedRun, 'plan'>,
  { turns, finals }: Pick<EndedVariant, 'turns' | 'finals'>,
): EndedVariant[] {
  const variantOfPart = new Map(turns.map(({ part }) => [part.part_id, part.variant]));
  return plan.variants.map((variant, index) => ({
    variant,
    turns: turns.filter(({ part }) => part.variant === index),
    finals: finals.filter(({ part_id }) => variantOfPart.get(part_id) === index),
  }));
}

/** What became of each of several variants. */
export async function summarizeVariants(
  { plan, layout }: Pick<PlannedRun, 'plan' | 'layout'>,
  variants: readonly EndedVariant[],
  deps: Pick<StepDeps, 'store'>,
): Promise<VariantSummary[]> {
  const prices = pricesOfRun(plan);
  const summaries: VariantSummary[] = [];
  for (const { variant, turns, finals } of variants) {
    const tokens = addTokenCounts(turns.map(({ ledger }) => ledger.tokens));
    const price = prices?.[summaries.length];
    const spent = spentUsd(turns, prices);
    summaries.push({
      name: variant.name as string,
      model_id: variant.model.model_id,
      prompt_hash: variant.prompt_hash,
      rows: addRowCounts(finals.map(({ rows }) => rows)),
      reasons: addReasons(finals.flatMap(({ reasons }) => reasons)),
      flawed: countFlaws(addStopReasons(finals.flatMap(({ stop_reasons = [] }) => stop_reasons))),
      ...schemaFormOf(variant, turns),
      tokens,
      cost_usd: spent,
      whole_usd: spent === null || price === undefined ? null : wholeUsd(plan, { tokens, price }),
      jobs: await countJobs(turns, layout, deps),
      on_demand_records: countOnDemand(turns),
      output_uris: finals.map(({ part_id }) => ownOutputOf(plan, layout, part_id)),
    });
  }
  return summaries;
}

/** What the dataset's rows would take, were they all run at the price of jobs and as these were. */
function wholeUsd(
  { dataset, selected_rows }: RunPlan,
  { tokens, price }: { tokens: VariantSummary['tokens']; price: RunPrice },
): number | null {
  return selected_rows === 0 ? null : (costUsd(price.batch, tokens) * dataset.rows) / selected_rows;
}

/** How the model was told the schema, in the end; nothing where there is none. */
export function schemaFormOf(
  { schema_form: form }: Variant,
  turns: readonly Turn[],
): Pick<RunSummary, 'schema_form'> {
  if (form === undefined) return {};
  const refusals = turns.flatMap(({ ledger }) =>
    ledger.reasons.filter(({ error_code }) => error_code === SCHEMA_REFUSED),
  );
  const [first] = refusals;
  if (first === undefined) return { schema_form: { form } };
  const records = refusals.reduce((sum, { rows }) => sum + rows, 0);
  return { schema_form: { form: 'prompt', refused: { records, message: first.example_message } } };
}

/** Model invocation jobs of these turns. */
export async function countJobs(
  turns: readonly Turn[],
  layout: RunLayout,
  { store }: Pick<StepDeps, 'store'>,
): Promise<number> {
  let jobs = 0;
  for (const { part } of turns) {
    if (part.mode !== 'batch') continue;
    const record = await readJsonIfPresent(store, layout.job(part.part_id), JobRecord);
    if (record?.job_arn) jobs += 1;
  }
  return jobs;
}

/** Records of these turns that were run on demand. */
export function countOnDemand(turns: readonly Turn[]): number {
  return turns.reduce((sum, { part }) => sum + (part.mode === 'on_demand' ? part.records : 0), 0);
}
