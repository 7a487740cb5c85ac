import { z } from 'zod';
import { InvalidRunInputError } from '../errors.ts';
import { AnswerFlaw } from '../jobs/answer-flaws.ts';
import { isJsonObject } from '../text/json-value.ts';
import { nearest } from '../text/nearest.ts';

/** Letters, digits and single hyphens: fit for an S3 key, a job name and an execution name. */
const RunId = z
  .string()
  .regex(/^[a-zA-Z0-9](?:-?[a-zA-Z0-9])*$/, 'use letters, digits and single hyphens')
  .max(60);

const JobNamePrefix = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9+.-]*$/, 'use letters, digits, "-", "+" and "."; "_" and blanks become "-"')
  .max(40);

/** The inference parameters of every family; each family takes some of them. */
const InferenceParameters = z.strictObject({
  max_tokens: z.int().min(1).meta({ description: 'Most tokens of an answer. Default 1024.' }).optional(),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .meta({ description: 'Randomness of the answers; Claude and Nova take 1 at most.' })
    .optional(),
  top_p: z
    .number()
    .gt(0)
    .max(1)
    .meta({ description: 'Share of the likeliest tokens to choose from.' })
    .optional(),
  top_k: z.int().min(0).meta({ description: 'Number of the likeliest tokens to choose from.' }).optional(),
  stop_sequences: z
    .array(z.string().min(1))
    .max(2500)
    .meta({ description: 'Texts at which an answer ends.' })
    .optional(),
  dimensions: z
    .int()
    .min(1)
    .meta({ description: 'Length of the vector, of those that the model has: 256, 384, 512, 1024.' })
    .optional(),
  normalize: z.boolean().meta({ description: 'Scale the vector to length 1.' }).optional(),
});

/** What a dataset's files may be said to be, whatever their names. */
const GivenFormat = z.enum(['csv', 'tsv', 'jsonl', 'json', 'parquet']);
export type GivenFormat = z.infer<typeof GivenFormat>;

/** An encoding by one of the names that the WHATWG's standard has for it. https://encoding.spec.whatwg.org/#names-and-labels */
const Encoding = z.string().refine(isEncoding, 'is no known encoding; windows-1252 and utf-16le are two');

/**
 * Every key of a run input, in the order of the reference page, with what it is for. A description that names a
 * default says so in a sentence of its own, "Default …", which the page shows in its own column.
 */
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
    description:
      'Branch, tag or commit of the Hugging Face dataset. Recorded as the commit it stands for. Default `main`.',
  }),
  format: GivenFormat.meta({
    description:
      'What the dataset’s files are, whatever their names: `csv`, `tsv`, `jsonl`, `json` (of lines, or one list) or `parquet`. Default: by their names.',
  }),
  csv_delimiter: z
    .string()
    .refine((text) => /^(?:tab|[\t\x20-\x7e])$/.test(text), 'give one ASCII character, such as ";", or tab')
    .meta({
      description:
        'Character between the fields of CSV, or `tab`. Default: comma, semicolon, tab or `|`, as the file has it; the plan says which.',
    }),
  csv_quote: z
    .string()
    .refine((text) => /^(?:none|[\x21-\x7e])$/.test(text), 'give one ASCII character, such as ", or none')
    .meta({
      description:
        'Character around fields of CSV, or `none` where no field is quoted. Default: `"`, or `\'` where only that gives every record as many fields as the header; the plan says which.',
    }),
  csv_encoding: Encoding.meta({
    description:
      'Encoding of CSV, as `windows-1252`. Default: UTF-8, or UTF-16 where a byte order mark says so.',
  }),
  csv_ragged: z.enum(['refuse', 'pad', 'skip']).meta({
    description:
      'What to do with records of CSV that have not as many fields as the header: `refuse` the file; `pad` with empty texts, and the header with columns like `column3`; `skip` them, which are counted in the ledger and kept in a file. Default `refuse`.',
  }),
  job_name_prefix: JobNamePrefix.meta({
    description:
      'Start of the name of every model invocation job; `_` and blanks in it become `-`. Default `quarry`.',
  }),
  model_id: z.string().min(1).max(2048).meta({
    description: 'Model id, inference profile id (`us.`, `eu.`, `global.`, …) or ARN.',
  }),
  base_model_id: z.string().min(1).max(2048).meta({
    description:
      'Model that `model_id` stands for, where it is an ARN that does not tell (an application inference profile, a custom model): its price, parameters and request format are taken.',
  }),
  prompt_id: z.string().min(1).meta({
    description: 'Name of a template in `promptIdToTemplate`; null for embeddings.',
  }),
  prompt_template: z.string().min(1).meta({
    description:
      'Template given inline, instead of `prompt_id`: `{column}` is a placeholder, `{{` and `}}` are literal braces.',
  }),
  system_prompt: z.string().min(1).meta({
    description: 'System prompt. `{column}` is a placeholder in it too, `{{` and `}}` are literal braces.',
  }),
  inference_parameters: InferenceParameters.meta({
    description:
      '`max_tokens` (default 1024), `temperature`, `top_p`, `top_k`, `stop_sequences` for text; `dimensions`, `normalize` for embeddings. The model’s own defaults otherwise.',
  }),
  text_column: z
    .string()
    .min(1)
    .meta({ description: 'Column to embed. Default `input_text`. Embeddings only.' }),
  record_id_column: z.string().min(1).meta({
    description:
      'Column of unique, non-null ids to use as record ids. Default: the dataset’s own `record_id` if it has one, else `r` and the ten-digit row number.',
  }),
  output_column: z.string().min(1).meta({
    description: 'Name of the column of answers. Default `response`, or `embedding` for embeddings.',
  }),
  output_schema: z.record(z.string(), z.unknown()).meta({
    description:
      'What answers are to be: a JSON Schema of an object, or its short form, `{"label": "yes | no", "score": "number 0..1", "topics": "string[]", "why": "string?"}`. Each property becomes a column; an answer that is not of the schema is a failed row and sent again.',
  }),
  output_prefix: z.string().min(1).max(60).meta({
    description: 'Put before the names of the columns that `output_schema` adds. Default: nothing.',
  }),
  max_num_jobs: z.int().min(1).meta({
    description:
      'At most this many jobs in the first wave: only the rows that fit into them, at `max_records_per_job` each, are run.',
  }),
  max_records_per_job: z.int().min(1).meta({
    description: 'Most records in one job. Default: the model’s quota. `max_records_per_batch` is an alias.',
  }),
  max_records: z.int().min(1).meta({ description: 'Run only the first so many rows: a pilot.' }),
  max_attempts: z.int().min(1).max(10).meta({
    description:
      'How often a row may be sent at most; a job that never came to it does not count. `resume --max-attempts` grants more. Default 3.',
  }),
  timeout_hours: z.int().min(24).max(168).meta({
    description:
      'Hours after which Bedrock ends a job, queue included. `resume --timeout-hours` changes it for the jobs to come. Default: Bedrock’s own, 24.',
  }),
  retry_truncated: z.boolean().meta({
    description: 'Send a row again whose answer was cut off at `max_tokens`. Default false.',
  }),
  retry_refused: z.boolean().meta({
    description:
      'Send a row again that the model refused to answer, or whose answer was filtered. Default false.',
  }),
  fail_on: z.array(AnswerFlaw).meta({
    description:
      'Answers that count as failures for the exit status, some of `truncated`, `refused` and `empty`. Default: none.',
  }),
  pilot: z.boolean().meta({
    description:
      'Where there are three parts or more, run a small first part alone, and stop if over half of its records fail. Default true.',
  }),
  max_cost_usd: z.number().gt(0).meta({
    description:
      'Send nothing that is estimated to bring the run over this, in US dollars: four bytes of input a token, every answer as long as it may be. A run that stopped at it goes on when it is started again with more.',
  }),
  dedupe: z.boolean().meta({
    description: 'Send identical requests once and give the answer to all their rows. Default false.',
  }),
  force: z.boolean().meta({
    description:
      'Try what Quarry’s [catalogue of models](models.md) says that Bedrock refuses: the plan notes it instead. Default false.',
  }),
  run_id: RunId.meta({
    description: 'Name of this run. Give the same one to resume. Default: derived from the input.',
  }),
};

/** Every key that a run input may have. */
export const RUN_INPUT_KEYS = Object.keys(RUN_INPUT_FIELDS);

/** Every key of `inference_parameters`. */
const PARAMETER_KEYS = Object.keys(InferenceParameters.shape);

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
  .superRefine(
    (input, context) => {
      const refuse = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (input.s3_uri === undefined && input.dataset_id === undefined) {
        refuse('s3_uri', 'give s3_uri, or the dataset_id of a Hugging Face dataset');
      }
      if (input.s3_uri !== undefined && input.dataset_id !== undefined) {
        refuse('dataset_id', 'give s3_uri or dataset_id, not both');
      }
      for (const key of ['split', 'config_name', 'revision'] as const) {
        if (input[key] !== undefined && input.s3_uri !== undefined) {
          refuse(key, 'goes with dataset_id, not with s3_uri');
        }
      }
      if (input.csv_delimiter !== undefined && input.csv_delimiter === input.csv_quote) {
        refuse('csv_quote', 'give another character than csv_delimiter');
      }
      if (input.output_prefix !== undefined && input.output_schema === undefined) {
        refuse('output_prefix', 'goes with output_schema');
      }
      if (input.prompt_id !== undefined && input.prompt_template !== undefined) {
        refuse('prompt_template', 'give prompt_id or prompt_template, not both');
      }
    },
    // Beside faulty values too: one message lists every fault.
    { when: ({ value }) => isJsonObject(value) },
  );

/** A run input as it was parsed; keys that were not given, or were null, are absent. */
export type RunInput = z.infer<typeof RunInputSchema>;

/**
 * Parses a run input. Throws InvalidRunInputError that lists every fault, with the nearest known key beside an
 * unknown one.
 */
export function parseRunInput(document: unknown): RunInput {
  if (!isJsonObject(document)) {
    throw new InvalidRunInputError(
      'A run input is a JSON object, like {"s3_uri": "s3://…", "model_id": "…"}.',
    );
  }
  const { given, unknownKeys } = readKeys(document);
  if (isJsonObject(given.inference_parameters)) {
    given.inference_parameters = withoutNulls(given.inference_parameters);
  }
  if (typeof given.job_name_prefix === 'string') {
    given.job_name_prefix = cleanJobNamePrefix(given.job_name_prefix);
  }
  const result = RunInputSchema.safeParse(given);
  if (result.success && unknownKeys.length === 0) return result.data;
  const faults = [
    ...unknownKeys.map(describeUnknownKey),
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, given)),
  ];
  const known = unknownKeys.length === 0 ? '' : `\nKnown keys: ${RUN_INPUT_KEYS.join(', ')}.`;
  throw new InvalidRunInputError(
    `The run input is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}${known}`,
  );
}

/** The prefix with a hyphen for what the AWS sample's documents have in it and Bedrock refuses. */
function cleanJobNamePrefix(prefix: string): string {
  return prefix.replaceAll(/[\s_]+/g, '-').replace(/^-+/, '');
}

/** The known keys, under their own names and without nulls; an unknown key is one even where its value is null. */
function readKeys(document: Record<string, unknown>): {
  given: Record<string, unknown>;
  unknownKeys: string[];
} {
  const given: Record<string, unknown> = {};
  const unknownKeys: string[] = [];
  for (const [key, value] of Object.entries(document)) {
    const name = (Object.hasOwn(RUN_INPUT_ALIASES, key) ? RUN_INPUT_ALIASES[key] : undefined) ?? key;
    if (!RUN_INPUT_KEYS.includes(name)) unknownKeys.push(key);
    else if (value !== null) {
      if (Object.hasOwn(given, name)) {
        const alias = Object.keys(RUN_INPUT_ALIASES).find((other) => RUN_INPUT_ALIASES[other] === name);
        throw new InvalidRunInputError(
          `The run input gives both ${name} and ${alias}, which mean the same. Give one of them.`,
        );
      }
      given[name] = value;
    }
  }
  return { given, unknownKeys };
}

function describeUnknownKey(key: string): string {
  // A parameter of the model, one level too high, is the likeliest slip of all.
  const candidates = [...RUN_INPUT_KEYS, ...Object.keys(RUN_INPUT_ALIASES), ...PARAMETER_KEYS];
  const known = nearest(key, candidates);
  const path =
    known !== undefined && PARAMETER_KEYS.includes(known) ? `inference_parameters.${known}` : known;
  return `"${key}" is not a key of a run input${didYouMean(path)}`;
}

function describeIssue(issue: z.core.$ZodIssue, given: Record<string, unknown>): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `${path}: "${key}" is not one of them${didYouMean(nearest(key, PARAMETER_KEYS))}`,
    );
  }
  const [key] = issue.path;
  const missing = issue.code === 'invalid_type' && !Object.hasOwn(given, String(key));
  return [`${path}: ${missing ? 'is missing' : issue.message}`];
}

function didYouMean(known: string | undefined): string {
  return known === undefined ? '' : ` (did you mean "${known}"?)`;
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function isEncoding(label: string): boolean {
  // Not a label there, though everybody knows it.
  if (/^latin-1$/i.test(label)) return true;
  try {
    new TextDecoder(label);
    return true;
  } catch {
    return false;
  }
}
