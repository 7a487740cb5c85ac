import { z } from 'zod';
import { FlawCounts, StopReasonCounts } from '../jobs/answer-flaws.ts';
import { DatasetFile } from '../plan/part.ts';
import { CostEstimate, HubSource } from '../plan/run-plan.ts';
import { SchemaForm } from '../run-input/output-schema.ts';
import { AttemptCounts, PropertyViolations, Reason, RowCounts, TokenCounts } from './ledger.ts';
import { RunStop } from './run-stop.ts';

/** How a run ended: every row has an answer, or some have none in the end, or it was stopped or cancelled before. */
export const RunStatus = z.enum(['succeeded', 'partly_succeeded', 'stopped', 'cancelled']);
export type RunStatus = z.infer<typeof RunStatus>;

/** What is in a typed column of the rows with an answer: of all, or of the first ones of a very large run. */
export const ColumnSummary = z.object({
  name: z.string(),
  /** DuckDB's name of its type; of a list, what is counted are its items. */
  type: z.string(),
  /** Rows with an answer that were counted, and those of them that have no value. */
  rows: z.int().min(0),
  nulls: z.int().min(0),
  /** The most frequent values, of at most 60 characters each; none where every value is another. */
  values: z.array(z.object({ value: z.string(), rows: z.int().min(1) })),
  /** Of numbers; null where there are none. */
  numbers: z.object({ min: z.number(), mean: z.number(), max: z.number() }).nullable(),
});
export type ColumnSummary = z.infer<typeof ColumnSummary>;

/** What one model took in one wave, in jobs or on demand. */
export const AccountLine = z.object({
  model_id: z.string(),
  wave: z.int().min(1),
  mode: z.enum(['batch', 'on_demand']),
  /** Records that were sent. */
  records: z.int().min(0),
  tokens: TokenCounts,
  /** Of these, records that may have been paid for and tell no tokens; absent where there are none. */
  uncounted: z.int().min(1).optional(),
  /** Dollars for these tokens by the price table, which nobody paid where `billed` is false; null where they are not known. */
  usd: z.number().nullable(),
});
export type AccountLine = z.infer<typeof AccountLine>;

/** How the model was told the schema of its answers, and what it said where it refused to be held to it. */
export const SchemaFormUsed = z.object({
  form: SchemaForm,
  /** What came back for the records in the plan's own form; absent where that was not refused. */
  refused: z.object({ records: z.int().min(1), message: z.string() }).optional(),
});
export type SchemaFormUsed = z.infer<typeof SchemaFormUsed>;

/** What became of one of several variants. */
export const VariantSummary = z.object({
  name: z.string(),
  model_id: z.string(),
  prompt_hash: z.string(),
  rows: RowCounts,
  /** Why rows have no answer, the most frequent first. */
  reasons: z.array(Reason),
  flawed: FlawCounts,
  /** How the model was told the schema; absent without one. */
  schema_form: SchemaFormUsed.optional(),
  tokens: TokenCounts,
  /** Dollars for these tokens by the price table; null where no price of the model is known. */
  cost_usd: z.number().nullable(),
  /** Dollars for as many tokens a row over all rows of the dataset, in jobs; null where it cannot be told. */
  whole_usd: z.number().nullable(),
  /** Model invocation jobs. */
  jobs: z.int().min(0),
  on_demand_records: z.int().min(0),
  /** Its own results, as an ordinary run of it would have them. */
  output_uris: z.array(z.string()),
});
export type VariantSummary = z.infer<typeof VariantSummary>;

/** How far two variants agree, of the rows that have an answer in both; of a very large run, of the first ones. */
export const VariantAgreement = z.object({
  a: z.string(),
  b: z.string(),
  /** Rows that have an answer in both. */
  compared: z.int().min(0),
  /** Of these, rows whose answers are equal: by all columns below. */
  equal: z.int().min(0),
  /** The columns of the schema that both have, or else their answers. */
  columns: z.array(
    z.object({
      name: z.string(),
      equal: z.int().min(0),
      /** Cohen's kappa; null where values are no categories, or nothing could differ. */
      kappa: z.number().nullable(),
    }),
  ),
});
export type VariantAgreement = z.infer<typeof VariantAgreement>;

/** `summary.json`: the row ledger, what it took, and the identity of everything that went in. */
export const RunSummary = z.object({
  format_version: z.literal(1),
  quarry_version: z.string(),
  run_id: z.string(),
  status: RunStatus,
  /** Why it was stopped; null where it was not. */
  stop: RunStop.nullable(),
  rows: RowCounts,
  /** How many rows took how many attempts, the fewest first; 0 is never sent. */
  attempts: z.array(AttemptCounts),
  waves: z.int().min(0),
  /** Why rows have no answer, the most frequent first. */
  reasons: z.array(Reason),
  /** How answers ended, the most frequent first; absent in summaries of version 0.1.0, like the next. */
  stop_reasons: z.array(StopReasonCounts).optional(),
  /** Answers that were cut off, refused or empty. */
  flawed: FlawCounts.optional(),
  /** Answers that were an object of the schema once text around it was taken away; absent without `output_schema`. */
  mended: z.int().min(0).optional(),
  /** Answers of all attempts that were checked against the schema, and how many of them had which property wrong or missing. */
  checked: z.int().min(0).optional(),
  violations: z.array(PropertyViolations).optional(),
  /** What is in the typed columns of the output, in their order; absent without `output_schema`. */
  columns: z.array(ColumnSummary).optional(),
  /** How the model was told the schema; absent without `output_schema`, and in summaries of when it was told in the prompt alone. */
  schema_form: SchemaFormUsed.optional(),
  /** What became of each variant; absent where there is one alone. Of several, `rows` counts each row once in each. */
  variants: z.array(VariantSummary).optional(),
  /** How far each two of them agree; absent where there is one alone. */
  agreement: z.array(VariantAgreement).optional(),
  tokens: TokenCounts,
  /** Dollars for these tokens by the price table; null where no price of the model is known. */
  cost_usd: z.number().nullable(),
  /** The same by model, wave, and way of sending; absent in summaries of earlier versions, like the next. */
  account: z.array(AccountLine).optional(),
  /** What the plan had estimated. */
  estimate: CostEstimate.optional(),
  /** Rows that share the answer of an identical request, which was sent once. */
  duplicates: z.int().min(0),
  /** Model invocation jobs; on-demand parts are none. */
  jobs: z.int().min(0),
  on_demand_records: z.int().min(0),
  /** True where the answers are a simulated model's. */
  simulated: z.boolean(),
  /** True where an AWS account paid for the tokens; absent in summaries of version 0.1.0. */
  billed: z.boolean().optional(),
  output_uris: z.array(z.string()),
  started_at: z.string(),
  ended_at: z.string(),
  input: z.record(z.string(), z.unknown()),
  input_hash: z.string(),
  prompt_hash: z.string(),
  model_id: z.string(),
  /** What the plan had a user know. */
  notes: z.array(z.string()).default([]),
  dataset_files: z.array(DatasetFile),
  dataset_rows: z.int().min(0),
  /** Records of the dataset that are no rows, as the run input would have it, and the file that has them; absent where there are none. */
  skipped: z.object({ records: z.int().min(1), uri: z.string() }).optional(),
  hub: HubSource.nullable(),
});
export type RunSummary = z.infer<typeof RunSummary>;
/** The columns that say why rows have no answer: one, or that of each variant. */
export function errorColumnsOf({ variants }: Pick<RunSummary, 'variants'>): string[] {
  return variants?.map(({ name }) => `error_code_${name}`) ?? ['error_code'];
}

RunSummary.register(z.globalRegistry, { title: 'the summary of a run' });
