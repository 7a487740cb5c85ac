import { PILOT_MIN_PARTS, packFull } from '../../core/plan/packing.ts';
import {
  type CostEstimate,
  isSideBySide,
  modelsOf,
  type PlanQuotas,
  type PromptIds,
  plannedRecords,
  type Variant,
} from '../../core/plan/run-plan.ts';
import { type JobPace, type JobSchedule, scheduleJobs } from '../../core/plan/schedule.ts';
import { answerSchemaOf, type SchemaForm } from '../../core/run-input/output-schema.ts';
import { parseRunInput, variantsOf } from '../../core/run-input/run-input.ts';
import { sentSchemaOf } from '../../core/run-input/sent-schema.ts';
import { costUsd, pricesOfRun } from '../../models/catalog/prices.ts';
import { propertyColumnsOf } from '../../rows/results/result-columns.ts';
import type { RowExplanation } from '../../steps/answers/explain-row.ts';
import type { PlanDraft } from '../../steps/plan/draft-plan.ts';
import type { PlannedRecord, UnsentRows } from '../../steps/plan/plan-preview.ts';
import type { EarlierRun } from './earlier-run.ts';
import type { PilotReport } from './pilot-report.ts';
import { type CachingReport, reportCaching } from './prompt-caching.ts';

/** When jobs end, if they start now. */
export type ScheduledEnd = JobSchedule & { ends_at: string };

/** An `output_schema`, as it was given and as the JSON Schema that it stands for. */
export interface PlannedSchema {
  given: unknown;
  compiled: unknown;
  /** How the model is told: by a field of the request that holds it to the schema, or in the prompt. */
  form: SchemaForm;
  /** The part of it that the field has; null where it is told in the prompt. */
  sent: unknown;
  columns: readonly { name: string; type: string }[];
}

/** Which rows are answered by former runs. */
export interface ReuseReport {
  /** Rows that no former run has asked. */
  new: number;
  /** Rows of a record id that one has asked the same model of in other words. */
  changed: number;
  /** Rows whose answer is there. */
  reused: number;
  /** Answers that were looked through. */
  answers: number;
  /** Dollars with the longest answers if nothing were reused; null where no price is known. */
  max_usd_without: number | null;
}
export type { PlannedRecord, UnsentCause, UnsentRows } from '../../steps/plan/plan-preview.ts';
export type { PilotReport } from './pilot-report.ts';

/** What one of several variants would be. */
export interface PlannedVariant {
  name: string;
  model_id: string;
  on_demand_rows: number;
  parts: number;
  estimate: CostEstimate;
  /** Dollars for all rows of the dataset in jobs, with the longest answers; null where no price is known. */
  whole_max_usd: number | null;
  output_schema: PlannedSchema | null;
}

/** What a run would be. */
export interface PlanReport {
  run_id: string;
  /** Where the plan had a local dataset uploaded to; null where nothing was uploaded. */
  uploaded_to: string | null;
  /** True where a run with this input was made before. */
  run_exists: boolean;
  model_id: string;
  rows: number;
  dataset_rows: number;
  /** What each row is asked; null where there is one variant alone. Parts and estimates of the plan are those of all together. */
  variants: PlannedVariant[] | null;
  /** Which prompts the rows name in `prompt_id_column`, and the rows that name none; null where all are asked by the same. */
  prompt_ids: PromptIds | null;
  /** What answers are to be, and the columns that come of it; null where they are texts or embeddings. */
  output_schema: PlannedSchema | null;
  /** Rows that get the answer of an identical request. */
  duplicates: number;
  /** What former runs have of it; null where the run takes none of their answers. */
  reuse: ReuseReport | null;
  /** Why the row that was asked about is reused, or why not; null where none was. */
  explanation: RowExplanation | null;
  on_demand_rows: number;
  parts: number;
  slices: number;
  estimate: CostEstimate;
  /** What the expected tokens of answers are by: the user's word, an earlier run, or the run's own pilot; null where nothing is expected. */
  expected_by: 'told' | 'earlier_run' | 'pilot' | null;
  /** What the run's pilot has shown; null where none was run for this plan. */
  pilot: PilotReport | null;
  /** The latest run of the same prompt in the same model that is known here; null where there is none. */
  earlier_run: EarlierRun | null;
  /** False where no AWS account pays: the estimate is what Bedrock would take. */
  billed: boolean;
  /** The first records as they would be sent, up to three. */
  records: PlannedRecord[];
  /** Rows of the dataset that would not be sent, by cause. */
  unsent: UnsentRows[];
  /** That on demand with prompt caching could be cheaper than batch; null where it is not known to be. */
  caching: CachingReport | null;
  /** The quotas that it is packed by, each with where it comes from; null in plans of earlier versions. */
  quotas: PlanQuotas | null;
  /** The account's slots for jobs of the run's models, and how many of them other jobs hold now; null where there is no account, or it does not tell. */
  slots: { at_once: number; held_by_others: number } | null;
  /** What a user should know before anything is spent. */
  notes: string[];
  schedule: {
    jobs_in_flight: number;
    records_per_hour: number;
    /** The run's own packing. */
    balanced: ScheduledEnd;
    /** Parts as large as the quotas allow, and a last one of what is left. */
    full: ScheduledEnd;
  };
}

/** What a draft says; `nowMs` is when the jobs would start. */
export function reportPlan(
  draft: PlanDraft,
  { nowMs, earlier, ...pace }: JobPace & { nowMs: number; earlier: EarlierRun | undefined },
): Omit<PlanReport, 'uploaded_to' | 'billed' | 'explanation' | 'slots'> {
  const { plan, recordsOfParts, isKnown, preview } = draft;
  const expectation = expectationOf(plan, earlier);
  const isJob = (rows: number) => rows >= plan.min_records_per_job;
  const endOf = (sizes: readonly number[], headStartHours = 0): ScheduledEnd => {
    const schedule = scheduleJobs(sizes, pace);
    const hours = headStartHours + schedule.hours;
    return { ...schedule, hours, ends_at: new Date(nowMs + hours * 3_600_000).toISOString() };
  };
  return {
    run_id: plan.run_id,
    run_exists: isKnown,
    model_id: modelsOf(plan),
    rows: plan.selected_rows,
    dataset_rows: plan.dataset.rows,
    variants: variantsOfPlan(plan),
    prompt_ids: plan.prompt_ids ?? null,
    output_schema: isSideBySide(plan) ? null : schemaOf(plan.input, plan.variants[0]),
    duplicates: plan.duplicates,
    reuse: reuseOf(plan),
    on_demand_rows: plan.on_demand_rows,
    parts: plan.parts,
    slices: plan.slices,
    ...expectation,
    caching: reportCaching(draft, expectation.estimate.expected?.output_tokens),
    earlier_run: earlier ?? null,
    pilot: null,
    records: preview?.records ?? [],
    unsent: preview?.unsent ?? [],
    quotas: plan.quotas ?? null,
    notes: plan.notes,
    schedule: {
      jobs_in_flight: pace.jobsInFlight,
      records_per_hour: pace.recordsPerHour,
      balanced: endAfter(plan, recordsOfParts.filter(isJob), endOf),
      full: endOf(
        plan.variants
          .flatMap(() => packFull(plannedRecords(plan), plan.max_rows_per_part))
          .map(({ rows }) => rows)
          .filter(isJob),
      ),
    },
  };
}

/** The estimate, with what is expected by an earlier run where the user has not said it. */
function expectationOf(
  plan: PlanDraft['plan'],
  earlier: EarlierRun | undefined,
): Pick<PlanReport, 'estimate' | 'expected_by'> {
  const { estimate } = plan;
  if (estimate.expected !== undefined) return { estimate, expected_by: 'told' };
  const {
    max_output_tokens: most,
    input_tokens,
    max_input_tokens = input_tokens,
    input_usd,
    max_usd,
  } = estimate;
  if (earlier === undefined || most === 0) return { estimate, expected_by: null };
  const rows = plannedRecords(plan) * plan.variants.length;
  const output_tokens = Math.min(most, Math.round(rows * earlier.output_tokens_each));
  // Of the most, a part is the longest answers': dollars grow with their tokens.
  const answersUsd = (max_usd ?? 0) - ((input_usd ?? 0) * max_input_tokens) / Math.max(1, input_tokens);
  const learnt = learntInput(plan, earlier);
  const inputUsd =
    input_usd === null ? null : (input_usd * (learnt ?? input_tokens)) / Math.max(1, input_tokens);
  const usd = inputUsd === null || max_usd === null ? null : inputUsd + (answersUsd * output_tokens) / most;
  const expected = { ...(learnt === undefined ? {} : { input_tokens: learnt }), output_tokens, usd };
  return { estimate: { ...estimate, expected }, expected_by: 'earlier_run' };
}

/** Input tokens as an earlier run had them for each byte; undefined where it does not tell. */
function learntInput(
  plan: PlanDraft['plan'],
  { input_tokens_per_byte: perByte }: EarlierRun,
): number | undefined {
  const { record_bytes } = plan.estimate;
  if (perByte === undefined || record_bytes === undefined) return undefined;
  return Math.round(plannedRecords(plan) * record_bytes * perByte);
}

function reuseOf({ reuse, selected_rows }: PlanDraft['plan']): ReuseReport | null {
  if (reuse === undefined) return null;
  const { rows: reused, answers, max_usd_without } = reuse;
  const changed = Math.min(reuse.changed, selected_rows - reused);
  return { new: selected_rows - reused - changed, changed, reused, answers, max_usd_without };
}

function variantsOfPlan(plan: PlanDraft['plan']): PlannedVariant[] | null {
  if (!isSideBySide(plan)) return null;
  const inputs = variantsOf(parseRunInput(plan.input));
  const prices = pricesOfRun(plan);
  return plan.variants.flatMap((variant, index): PlannedVariant[] => {
    const { name, share, model } = variant;
    if (name === undefined || share === undefined) return [];
    const { estimate, on_demand_rows, parts } = share;
    const { input_tokens, max_input_tokens: input = input_tokens, max_output_tokens: output } = estimate;
    const price = prices?.[index]?.batch;
    const scale = plan.dataset.rows / Math.max(1, plan.selected_rows);
    return [
      {
        name,
        model_id: model.model_id,
        on_demand_rows,
        parts,
        estimate,
        whole_max_usd: price === undefined ? null : costUsd(price, { input, output }) * scale,
        output_schema: schemaOf({ ...inputs[index]?.input }, variant),
      },
    ];
  });
}

function schemaOf(input: Record<string, unknown>, variant: Variant): PlannedSchema | null {
  const { output_schema, output_prefix } = parseRunInput(input);
  const form = variant.schema_form ?? 'prompt';
  if (output_schema === undefined) return null;
  const compiled = answerSchemaOf(output_schema);
  const columns = propertyColumnsOf(compiled, output_prefix).map(({ name, type }) => ({ name, type }));
  const sent = form === 'native' ? sentSchemaOf(compiled) : undefined;
  return { given: output_schema, compiled, form, sent: sent?.kind === 'sent' ? sent.schema : null, columns };
}

/** The end of the run's own packing: with the first job alone, as Dispatch has it, unless there is no pilot. */
function endAfter(
  { input }: PlanDraft['plan'],
  jobs: readonly number[],
  endOf: (sizes: readonly number[], headStartHours?: number) => ScheduledEnd,
): ScheduledEnd {
  const [pilot = 0, ...others] = jobs;
  if (input.pilot === false || jobs.length < PILOT_MIN_PARTS) return endOf(jobs);
  const alone = endOf([pilot]);
  const { rounds, ...rest } = endOf(others, alone.hours);
  const [smallest, largest] = [Math.min(pilot, rest.smallest), Math.max(pilot, rest.largest)];
  return { ...rest, jobs: jobs.length, smallest, largest, rounds: rounds + 1 };
}
