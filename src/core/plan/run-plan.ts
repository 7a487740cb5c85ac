import { z } from 'zod';
import { QuotaSource } from '../jobs/quotas.ts';
import { ResultFacts } from '../run/ledger.ts';
import { MODEL_INPUT } from '../run-input/model-input.ts';
import { SchemaForm } from '../run-input/output-schema.ts';
import { isJsonObject } from '../text/json-value.ts';
import { Dataset } from './part.ts';

const Count = z.int().min(0);
const Usd = z.number().min(0).nullable();

/** By what input tokens were counted, on how many rows, and by how much a family's may differ from what was counted. */
export const CountedTokens = z.object({
  by: z.enum(['count_tokens', 'tokenizer']),
  rows: Count,
  /** Share of the tokens; 0 of `count_tokens`, and of the family whose tokenizer it is. */
  family_error: z.number().min(0),
});
export type CountedTokens = z.infer<typeof CountedTokens>;

/**
 * What the run is estimated to cost: input by a sample of the first rows, answers by their limit, every row sent once. No
 * bound: rows may have to be sent again.
 */
export const CostEstimate = z.object({
  /** Input tokens as they were counted, or at four bytes each. */
  input_tokens: Count,
  /** The same with all that the count may be off, which `max_usd` goes by; absent where they are at four bytes each. */
  max_input_tokens: Count.optional(),
  /** Mean bytes of a record's JSONL, by which input is learnt of an earlier run; absent in plans of earlier versions. */
  record_bytes: z.number().min(0).optional(),
  /** How they were counted; absent where they are at four bytes each. */
  counted: CountedTokens.optional(),
  /** Most output tokens: every answer as long as `max_tokens` lets it be. */
  max_output_tokens: Count,
  /** Dollars for that input and the longest answers; null where no price of the model is known. */
  max_usd: Usd,
  /** Dollars for the input alone. */
  input_usd: Usd,
  /** Output tokens, and dollars with them, by the run input's `expect_output_tokens`; absent where it does not say. */
  expected: z.object({ input_tokens: Count.optional(), output_tokens: Count, usd: Usd }).optional(),
  /** Dollars for the longest answers where every row were sent on demand; absent in plans of earlier versions. */
  on_demand_usd: Usd.optional(),
  /** Day of the price table. */
  prices_as_of: z.string(),
  /** Where the price is the run input's own, and not that table's. */
  prices_from: z.literal('run_input').optional(),
});
export type CostEstimate = z.infer<typeof CostEstimate>;

const SourcedQuota = z.object({ value: z.int(), source: QuotaSource });
/** Bedrock's quotas that a run is packed by, each with where it comes from. */
export const PlanQuotas = z.object({
  records_per_job: SourcedQuota,
  jobs_at_once: SourcedQuota,
  min_records_per_job: SourcedQuota,
  /** Month that the defaults among them were read in. */
  defaults_as_of: z.string(),
});
export type PlanQuotas = z.infer<typeof PlanQuotas>;

/** Which Hugging Face dataset the rows are of, at which commit. */
export const HubSource = z.object({
  dataset_id: z.string(),
  config_name: z.string(),
  split: z.string(),
  /** Commit that the revision stood for. */
  commit: z.string(),
  /** Commit that the files are in: that one, or the Parquet conversion's that was made from it. */
  files_commit: z.string(),
  origin: z.enum(['files', 'parquet_conversion']),
});
export type HubSource = z.infer<typeof HubSource>;

/** A server of the user's own that answers instead of Bedrock, and the model that it is asked for; null = the run's own id. */
export const AnsweringServer = z.object({ url: z.string(), model: z.string().nullable() });
export type AnsweringServer = z.infer<typeof AnsweringServer>;

/** Rows that have one value in `prompt_id_column`, and the number of the first. */
const PromptRows = { rows: Count, first_row: Count };
/** Which prompts the rows of a run name, those that name none among them. */
export const PromptIds = z.object({
  /** In the order of their first rows. */
  known: z.array(z.object({ prompt_id: z.string(), ...PromptRows })),
  /** Rows that are not sent, of so many values, and the first of these. */
  unknown: z.object({
    rows: Count,
    values: Count,
    first: z.array(z.object({ value: z.string().nullable(), ...PromptRows })),
  }),
});
export type PromptIds = z.infer<typeof PromptIds>;

/** What one of several variants takes of a run. */
export const VariantShare = z.object({
  /** Rows in parts under Bedrock's minimum. */
  on_demand_rows: Count,
  parts: Count,
  /** Jobs that its model may have at once, whichever variants they are of. */
  jobs_at_once: Count,
  estimate: CostEstimate,
});
export type VariantShare = z.infer<typeof VariantShare>;

/** What the rows are asked, and whom: a model with a prompt and parameters, and the column of its answers. */
export const Variant = z.object({
  /** Ends the names of its columns in the output; absent where it is the only one. */
  name: z.string().optional(),
  /** Absent where it is the only one: then the plan itself has it. */
  share: VariantShare.optional(),
  model: z.object({
    model_id: z.string(),
    /** What its price goes by, where that is another id: the model behind an ARN that does not tell it. */
    base_model_id: z.string().optional(),
    family: z.string(),
    invocation_type: z.enum(['InvokeModel', 'Converse']),
  }),
  /** The template; null for embeddings, and where rows are asked by several. */
  prompt_template: z.string().nullable(),
  /** The templates that rows name in `prompt_id_column`, by their ids; absent where every row is asked by the same. */
  prompt_templates: z.record(z.string(), z.string()).optional(),
  /** True where braces in the system prompt are placeholders, as they have been since there are such. */
  system_placeholders: z.literal(true).optional(),
  prompt_hash: z.string(),
  /** The inference parameters, as given. */
  parameters: z.record(z.string(), z.unknown()),
  /** What the model is told of thinking; absent where its records say nothing of it. */
  thinking: MODEL_INPUT.fields.thinking.optional(),
  /** How the model is told `output_schema`; absent where there is none, and in plans of when it was told in the prompt alone. */
  schema_form: SchemaForm.optional(),
  output_column: z.string(),
});
export type Variant = z.infer<typeof Variant>;

/** How many rows get the answers of former runs, and what that saves. */
export const PlannedReuse = z.object({
  /** Rows whose answer is there. */
  rows: Count,
  /** Of the others, rows that a former run asked of the same model under the same record id, in other words. */
  changed: Count,
  /** Answers of former runs that were looked through. */
  answers: Count,
  /** Dollars for the longest answers if nothing were reused; null where no price of the model is known. */
  max_usd_without: Usd,
  /** The answers, by the numbers of the rows that get them, as they were written; absent where there are none. */
  file: ResultFacts.optional(),
});
export type PlannedReuse = z.infer<typeof PlannedReuse>;

const PlanDocument = z.object({
  /**
   * 1: rows that are answered elsewhere have an error code in the run's files, which nothing reads any more. 1 and 2: what is
   * in `variants` stood in the plan itself.
   */
  format_version: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  quarry_version: z.string(),
  run_id: z.string(),
  /** Hash of everything that decides the answers: input, dataset files, prompt. */
  input_hash: z.string(),
  /** The run input, as given, without nulls. */
  input: z.record(z.string(), z.unknown()),
  dataset: Dataset,
  /** Null where the dataset was given as `s3_uri`. */
  hub: HubSource.nullable(),
  /** What is asked of every row: it ends once in each of these. Parts name theirs by its place in this list. */
  variants: z.tuple([Variant], Variant),
  /** Which prompts its rows name; absent where every row is asked by the same. */
  prompt_ids: PromptIds.optional(),
  /** Absent where Bedrock answers, or the simulated model. */
  model_server: AnsweringServer.optional(),
  /** Where Bedrock is asked, if that is none of AWS's own addresses. */
  bedrock_endpoint: z.string().optional(),
  /** Column that gives the record ids, where the input names none and the dataset has one of that name. */
  record_id_column: z.string().optional(),
  /** Rows of the dataset that are run: all of them, unless max_records or max_num_jobs says otherwise. */
  selected_rows: Count,
  /** Of those, rows that get the answer of an identical request of an earlier row, and are not sent. */
  duplicates: Count,
  /** The file that says which, as it was written; absent where there is none, and in plans of earlier versions. */
  duplicates_file: ResultFacts.optional(),
  /** What former runs had of it; absent where the run takes no answers of theirs. */
  reuse: PlannedReuse.optional(),
  /** Of those, rows in parts under Bedrock's minimum: run on demand, at twice the price. */
  on_demand_rows: Count,
  parts: Count,
  /** Most rows that a part may have: the quotas' records and bytes, and the user's own limit. */
  max_rows_per_part: Count,
  slices: Count,
  max_concurrent_jobs: Count,
  /** The quotas that it was packed by, and where they come from; absent in plans of earlier versions. */
  quotas: PlanQuotas.optional(),
  min_records_per_job: Count,
  max_attempts: Count,
  estimate: CostEstimate,
  /** What a user should know before anything is spent. */
  notes: z.array(z.string()).default([]),
  created_at: z.string(),
  /** What its jobs are named after; absent in a plan of version 0.1.0, whose jobs are named after run id and input alone. */
  job_naming: z.literal('place').optional(),
});

/** `plan.json`: all that was decided before anything was spent. */
export const RunPlan = z.preprocess(inVariants, PlanDocument);
export type RunPlan = z.infer<typeof RunPlan>;
RunPlan.register(z.globalRegistry, {
  title: 'the plan of a run',
  mend: 'Delete it and start the run again with the same command: the copy below working/ takes its place, finished work is found, and nothing is paid for twice.',
});

/** A plan of an earlier format, whose only variant stands in the plan itself, as plans are now; anything else as it is. */
function inVariants(document: unknown): unknown {
  if (!isJsonObject(document) || Object.hasOwn(document, 'variants')) return document;
  const { model, prompt_template, system_placeholders, prompt_hash, output_column, ...others } = document;
  const { inference_parameters: parameters = {} } = Object(others.input) as {
    inference_parameters?: unknown;
  };
  const variant = { model, prompt_template, prompt_hash, parameters, output_column };
  const { format_version, duplicates } = others;
  const isReadable = format_version === 2 || (format_version === 1 && duplicates === 0);
  return {
    ...others,
    ...(isReadable ? { format_version: 3 } : {}),
    variants: [system_placeholders === undefined ? variant : { ...variant, system_placeholders }],
  };
}

/** Rows of a plan that are sent, in each variant: those that no other row, and no former run, answers. */
export function plannedRecords({
  selected_rows,
  duplicates,
  reuse,
}: Pick<RunPlan, 'selected_rows' | 'duplicates' | 'reuse'>): number {
  return selected_rows - duplicates - (reuse?.rows ?? 0);
}

/** Rows of the ledger: each row that is run, once in each variant. */
export function ledgerRowsOf({
  selected_rows,
  variants,
}: Pick<RunPlan, 'selected_rows' | 'variants'>): number {
  return selected_rows * variants.length;
}

/** The ids of a plan's models, each once. */
export function modelsOf({ variants }: Pick<RunPlan, 'variants'>): string {
  return [...new Set(variants.map(({ model }) => model.model_id))].join(', ');
}

/** True where the rows are asked in several ways, whose answers stand side by side in the output. */
export function isSideBySide({ variants }: Pick<RunPlan, 'variants'>): boolean {
  return variants.length > 1;
}

/** The id that a variant's price goes by. */
export function pricedModelOf({ model }: Pick<Variant, 'model'>): string {
  return model.base_model_id ?? model.model_id;
}

/** Bytes of English text in one token, roughly. https://docs.anthropic.com/en/docs/about-claude/glossary#tokens */
export const BYTES_PER_TOKEN = 4;
