import { z } from 'zod';
import { type Concern, describeField } from '../src/core/run-input/concern.ts';
import { RUN_INPUT_ALIASES, RUN_INPUT_CONCERNS, RUN_INPUT_FIELDS } from '../src/core/run-input/run-input.ts';
import { MODEL_ADAPTERS } from '../src/models/adapters/find-adapter.ts';
import type { InferenceParameter } from '../src/models/adapters/model-adapter.ts';
import { table } from './markdown.ts';

/** The part of a JSON Schema that says what a value may be. */
interface ValueSchema {
  type: string;
  description?: string;
  items?: ValueSchema;
  properties?: Record<string, ValueSchema>;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
}

const TEXT_EXAMPLE = {
  s3_uri: 's3://batch-inference-bucket-111122223333/inputs/jokes/topics.csv',
  job_name_prefix: 'joke-generation',
  model_id: 'anthropic.claude-3-haiku-20240307-v1:0',
  prompt_id: 'joke_about_topic',
  inference_parameters: { max_tokens: 200, temperature: 1 },
  max_records: 500,
  max_cost_usd: 1,
};

const EMBEDDING_EXAMPLE = {
  dataset_id: 'stanfordnlp/imdb',
  split: 'test',
  job_name_prefix: 'review-embeddings',
  model_id: 'amazon.titan-embed-text-v2:0',
  prompt_id: null,
  text_column: 'text',
  inference_parameters: { dimensions: 512 },
  max_records_per_job: 10_000,
  run_id: 'imdb-test-512',
};

/** The reference page of the run input: what the schema says, in Markdown. */
export function renderRunInputPage(): string {
  return `<!-- Made by scripts/generate-docs.ts from src/core/run-input/ and src/models/: change those, then run it. -->

# Run input

One JSON document says what a run is of. It is the same for every target: the CLI's \`--input\`, the input of the state
machine's execution, and the CLI's flags (\`--max-records\` is \`max_records\`). Only \`model_id\`, a dataset and, for a
text model, a prompt are required.

\`null\` means "not given". A key that is not listed here is an error that names the nearest one: a misspelt limit is
never silently ignored.

${RUN_INPUT_CONCERNS.map(renderConcern).join('\n\n')}

${Object.entries(RUN_INPUT_ALIASES)
  .map(([alias, key]) => `\`${alias}\` is accepted as an alias of \`${key}\`.`)
  .join('\n')}

## Inference parameters

What is not given is left to the model, except \`max_tokens\`. A parameter that the model's family does not take is an error.

${table(
  ['Parameter', 'Type and limits', 'Default', 'Meaning', 'Taken by'],
  Object.entries(toSchema(RUN_INPUT_FIELDS.inference_parameters).properties ?? {}).map(([name, schema]) => {
    const { meaning, defaultText } = describeField(schema.description ?? '');
    return [`\`${name}\``, describeType(schema), defaultText, meaning, familiesTaking(name)];
  }),
)}

## Model families

The first family that takes a model id is its family.

${table(
  ['Family', 'Example', 'Record format', 'Output', 'System prompt'],
  MODEL_ADAPTERS.map(({ family, example, invocationType, output, systemPrompt }) => [
    family,
    `\`${example}\``,
    invocationType,
    output.kind,
    systemPrompt ? 'yes' : 'no',
  ]),
)}

## Which keys exclude each other

- Exactly one of \`s3_uri\` and \`dataset_id\`.
- \`split\`, \`config_name\` and \`revision\` go with \`dataset_id\` only.
- One of \`prompt_id\`, \`prompt_template\` and \`prompt_id_column\` for a text model; an embedding model takes none of them. \`prompt_templates\` goes with
  \`prompt_id_column\`.
- \`text_column\` goes with an embedding model only, \`system_prompt\` with a text model only.
${Object.entries(RUN_INPUT_ALIASES)
  .map(([alias, key]) => `- \`${key}\` or its alias \`${alias}\`, not both.`)
  .join('\n')}

## Examples

A joke about each of the first 500 topics, for a dollar at most:

${jsonBlock(TEXT_EXAMPLE)}

Embeddings of a dataset on Hugging Face, under a name to resume by:

${jsonBlock(EMBEDDING_EXAMPLE)}
`;
}

function renderConcern({ title, about, fields }: Concern): string {
  const rows = Object.entries(fields).map(([key, field]) => {
    const { meaning, defaultText } = describeField(field.meta()?.description ?? '');
    return [`\`${key}\``, describeType(toSchema(field)), defaultText, meaning];
  });
  return `## ${title}\n\n${about}\n\n${table(['Key', 'Type and limits', 'Default', 'Meaning'], rows)}`;
}

/** A field's JSON Schema. */
function toSchema(field: z.ZodType): ValueSchema {
  return z.toJSONSchema(field) as ValueSchema;
}

function describeType(schema: ValueSchema): string {
  const { type, items, minimum, exclusiveMinimum, maximum, maxLength, maxItems, pattern } = schema;
  const limits = [
    ...(items === undefined ? [] : [`of ${items.type}s`]),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`over ${exclusiveMinimum}`]),
    // Every integer has this one, which limits nothing.
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? [] : [`at most ${maximum}`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems}`]),
    ...(pattern === undefined ? [] : [`\`${pattern}\``]),
  ];
  return [type, ...limits].join(', ');
}

function familiesTaking(parameter: string): string {
  return MODEL_ADAPTERS.filter(({ parameters }) => parameters.includes(parameter as InferenceParameter))
    .map(({ family }) => family)
    .join('; ');
}

function jsonBlock(document: Record<string, unknown>): string {
  return `\`\`\`json\n${JSON.stringify(document, null, 2)}\n\`\`\``;
}
