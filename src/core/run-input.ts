import { z } from 'zod';
import { InvalidRunInputError } from './errors.ts';
import { nearest } from './nearest.ts';

/** Letters, digits and single hyphens: fit for an S3 key, a job name and an execution name. */
const RunId = z
  .string()
  .regex(/^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/, 'use letters, digits and single hyphens')
  .max(60);

const JobNamePrefix = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9+.-]*$/,
    'use letters, digits, "-", "+" and "."; Bedrock allows no "_" and no space',
  )
  .max(40);

/** Every key of a run input, in the order of the reference page, with what it is for. */
export const RUN_INPUT_FIELDS = {
  s3_uri: z.string().startsWith('s3://').meta({
    description:
      'Dataset: one object, or a prefix of many of the same format. CSV, Parquet or JSONL, plain or `.gz`/`.zst`. Instead of `dataset_id`.',
  }),
  dataset_id: z
    .string()
    .regex(/^[\w.-]+(?:\/[\w.-]+)?$/, 'write it as on the Hub: owner/name')
    .meta({ description: 'Hugging Face dataset id. Instead of `s3_uri`.' }),
  split: z.string().min(1).meta({ description: 'Split of the Hugging Face dataset. Default `train`.' }),
  config_name: z.string().min(1).meta({ description: 'Configuration (subset) of the Hugging Face dataset.' }),
  revision: z.string().min(1).meta({
    description: 'Branch, tag or commit of the Hugging Face dataset. Recorded as the commit it stands for.',
  }),
  job_name_prefix: JobNamePrefix.meta({
    description: 'Start of the name of every model invocation job. Default `quarry`.',
  }),
  model_id: z.string().min(1).max(2048).meta({
    description: 'Model id, inference profile id (`us.`, `eu.`, `global.`, …) or ARN.',
  }),
  prompt_id: z.string().min(1).meta({
    description: 'Name of a template in `promptIdToTemplate`; null for embeddings.',
  }),
  prompt_template: z.string().min(1).meta({
    description:
      'Template given inline, instead of `prompt_id`: `{column}` is a placeholder, `{{` and `}}` are literal braces.',
  }),
  system_prompt: z.string().min(1).meta({ description: 'System prompt, the same for every row.' }),
  inference_parameters: z
    .strictObject({
      max_tokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(2).optional(),
      top_p: z.number().gt(0).max(1).optional(),
      top_k: z.int().min(0).optional(),
      stop_sequences: z.array(z.string().min(1)).max(2500).optional(),
      dimensions: z.int().min(1).optional(),
      normalize: z.boolean().optional(),
    })
    .meta({
      description:
        '`max_tokens` (default 1024), `temperature`, `top_p`, `top_k`, `stop_sequences` for text; `dimensions`, `normalize` for embeddings. The model’s own defaults otherwise.',
    }),
  text_column: z
    .string()
    .min(1)
    .meta({ description: 'Column to embed. Default `input_text`. Embeddings only.' }),
  record_id_column: z.string().min(1).meta({
    description:
      'Column of unique, non-null ids to use as record ids. Default: `r` and the ten-digit row number.',
  }),
  output_column: z.string().min(1).meta({
    description: 'Name of the column of answers. Default `response`, or `embedding` for embeddings.',
  }),
  max_num_jobs: z.int().min(1).meta({
    description:
      'At most this many jobs in the first wave: only the rows that fit into them, at `max_records_per_job` each, are run.',
  }),
  max_records_per_job: z.int().min(1).meta({
    description: 'Most records in one job. Default: the model’s quota. `max_records_per_batch` is an alias.',
  }),
  max_records: z.int().min(1).meta({ description: 'Run only the first so many rows: a pilot.' }),
  max_attempts: z
    .int()
    .min(1)
    .max(10)
    .meta({ description: 'How often a row may be sent at most. Default 3.' }),
  max_cost_usd: z.number().gt(0).meta({ description: 'Spend no more than this, in US dollars.' }),
  dedupe: z
    .boolean()
    .meta({ description: 'Send identical requests once and give the answer to all their rows.' }),
  run_id: RunId.meta({
    description: 'Name of this run. Give the same one to resume. Default: derived from the input.',
  }),
};

/** Every key that a run input may have. */
export const RUN_INPUT_KEYS = Object.keys(RUN_INPUT_FIELDS);

/** Keys of other tools' documents that mean one of ours. */
export const RUN_INPUT_ALIASES: Readonly<Record<string, string>> = {
  max_records_per_batch: 'max_records_per_job',
};

/** The published contract: one JSON document, the same for every target. Null stands for "not given". */
export const RunInputSchema = z
  .strictObject({
    ...RUN_INPUT_FIELDS,
    ...(Object.fromEntries(
      Object.entries(RUN_INPUT_FIELDS)
        .filter(([key]) => key !== 'model_id')
        .map(([key, schema]) => [key, schema.optional()]),
    ) as {
      [K in Exclude<keyof typeof RUN_INPUT_FIELDS, 'model_id'>]: z.ZodOptional<(typeof RUN_INPUT_FIELDS)[K]>;
    }),
  })
  .superRefine((input, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if ((input.s3_uri === undefined) === (input.dataset_id === undefined)) {
      refuse('s3_uri', 'give exactly one of s3_uri and dataset_id');
    }
    for (const key of ['split', 'config_name', 'revision'] as const) {
      if (input[key] !== undefined && input.s3_uri !== undefined)
        refuse(key, 'goes with dataset_id, not with s3_uri');
    }
    if (input.prompt_id !== undefined && input.prompt_template !== undefined) {
      refuse('prompt_template', 'give prompt_id or prompt_template, not both');
    }
  });

/** A run input as it was parsed; keys that were not given, or were null, are absent. */
export type RunInput = z.infer<typeof RunInputSchema>;

/**
 * Parses a run input. Throws InvalidRunInputError that lists every fault, with the nearest known key beside an
 * unknown one.
 */
export function parseRunInput(document: unknown): RunInput {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new InvalidRunInputError(
      'A run input is a JSON object, like {"s3_uri": "s3://…", "model_id": "…"}.',
    );
  }
  const given = new Map<string, unknown>();
  for (const [key, value] of Object.entries(document)) {
    const name = RUN_INPUT_ALIASES[key] ?? key;
    if (given.has(name)) {
      throw new InvalidRunInputError(`The run input gives both ${name} and its alias. Give one of them.`);
    }
    if (value !== null) given.set(name, value);
    else if (!RUN_INPUT_KEYS.includes(name)) throw unknownKeyError([key]);
  }
  const result = RunInputSchema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
  );
  if (unknown.length > 0) throw unknownKeyError(unknown);
  const faults = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'run input'}: ${issue.message}`,
  );
  throw new InvalidRunInputError(
    `The run input is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
}

function unknownKeyError(keys: readonly string[]): InvalidRunInputError {
  const faults = keys.map((key) => {
    const known = nearest(key, RUN_INPUT_KEYS);
    return known === undefined ? `"${key}"` : `"${key}" (did you mean "${known}"?)`;
  });
  return new InvalidRunInputError(
    `The run input has unknown keys: ${faults.join(', ')}. Known keys: ${RUN_INPUT_KEYS.join(', ')}.`,
  );
}
