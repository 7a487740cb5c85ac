import { z } from 'zod';
import { InvalidRunInputError } from '../errors.ts';
import { isJsonObject } from '../text/json-value.ts';
import { nearest } from '../text/nearest.ts';
import { ANSWERS_INPUT } from './answers-input.ts';
import type { Concern } from './concern.ts';
import { DATASET_INPUT } from './dataset-input.ts';
import { LIMITS_INPUT } from './limits-input.ts';
import { MEDIA_INPUT } from './media-input.ts';
import { InferenceParameters, MODEL_INPUT } from './model-input.ts';
import { PRICE_KEYS, priceAmong } from './prices.ts';
import { PROMPT_INPUT } from './prompt-input.ts';
import { cleanJobNamePrefix, ROAD_INPUT } from './road-input.ts';
import { inputOfChosen, inputOfVariant, VARIANT_KEYS, VARIANTS_INPUT } from './variants-input.ts';

/** What a run input is made of, in the order of the reference page and of `--help`. */
export const RUN_INPUT_CONCERNS: readonly Concern[] = [
  DATASET_INPUT,
  MODEL_INPUT,
  PROMPT_INPUT,
  MEDIA_INPUT,
  ANSWERS_INPUT,
  VARIANTS_INPUT,
  LIMITS_INPUT,
  ROAD_INPUT,
];

/** Every key of a run input, concern by concern. */
export const RUN_INPUT_FIELDS = {
  ...DATASET_INPUT.fields,
  ...MODEL_INPUT.fields,
  ...PROMPT_INPUT.fields,
  ...MEDIA_INPUT.fields,
  ...ANSWERS_INPUT.fields,
  ...VARIANTS_INPUT.fields,
  ...LIMITS_INPUT.fields,
  ...ROAD_INPUT.fields,
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
      for (const concern of RUN_INPUT_CONCERNS) concern.check?.(input, refuse);
    },
    // Beside faulty values too: one message lists every fault.
    { when: ({ value }) => isJsonObject(value) },
  );

/** A run input as it was parsed; keys that were not given, or were null, are absent. */
export type RunInput = z.infer<typeof RunInputSchema>;

/**
 * Parses a run input; of one that names a `variant`, that variant's own. Throws InvalidRunInputError that lists every fault, with
 * the nearest known key beside an unknown one.
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
  const firstModel = firstModelOf(given.variants);
  if (!Object.hasOwn(given, 'model_id') && firstModel !== undefined) given.model_id = firstModel;
  const result = RunInputSchema.safeParse(given);
  if (result.success && unknownKeys.length === 0) {
    if (result.data.variant !== undefined) return parseRunInput(inputOfChosen(result.data));
    checkVariants(result.data);
    return result.data;
  }
  const faults = [
    ...unknownKeys.map(describeUnknownKey),
    ...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue, given)),
  ];
  const known = unknownKeys.length === 0 ? '' : `\nKnown keys: ${RUN_INPUT_KEYS.join(', ')}.`;
  throw new InvalidRunInputError(
    `The run input is not valid.\n${faults.map((fault) => `  - ${fault}`).join('\n')}${known}`,
  );
}

/** A variant of a run input: its name, and the run input as if it were the only one. */
export interface InputVariant {
  /** Undefined where the run input has no variants. */
  name: string | undefined;
  input: RunInput;
}

/** What a run input asks of each row, in its order: of one without variants, itself alone. */
export function variantsOf(input: RunInput): InputVariant[] {
  if (input.variants === undefined) return [{ name: undefined, input }];
  return Object.entries(input.variants).map(([name, own]) => ({
    name,
    input: inputOfVariant(input, own) as RunInput,
  }));
}

/** Holds each variant to what a run input of it alone would be held to. */
function checkVariants(input: RunInput): void {
  if (input.variants === undefined) return;
  const variants = variantsOf(input);
  for (const { name, input: asked } of variants) {
    const { prices, ...alone } = asked;
    const hasPrice = priceAmong(prices, asked) !== undefined;
    try {
      parseRunInput(hasPrice ? asked : alone);
    } catch (error) {
      throw new InvalidRunInputError(`Variant "${name}": ${(error as Error).message}`, { cause: error });
    }
  }
  const unused = Object.keys(input.prices ?? {}).find((id) =>
    variants.every(({ input: asked }) => asked.model_id !== id && asked.base_model_id !== id),
  );
  if (unused !== undefined) {
    throw new InvalidRunInputError(
      `The run input is not valid.\n  - prices: names "${unused}", which is no variant’s model`,
    );
  }
}

/** The model of the first variant, for a run input whose variants each name one and which names none itself. */
function firstModelOf(variants: unknown): unknown {
  const each = isJsonObject(variants) ? Object.values(variants) : [];
  const models = each.map((own) => (isJsonObject(own) ? own.model_id : undefined));
  return models.every((model) => typeof model === 'string') ? models[0] : undefined;
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
  const [key] = issue.path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((unknown) => `${path}: ${describeUnknownInner(key, unknown)}`);
  }
  const missing = issue.code === 'invalid_type' && !Object.hasOwn(given, String(key));
  return [`${path}: ${missing ? 'is missing' : issue.message}`];
}

function describeUnknownInner(key: PropertyKey | undefined, unknown: string): string {
  if (key === 'variants' && RUN_INPUT_KEYS.includes(unknown)) {
    return `${unknown} is the same for all variants: give it beside them`;
  }
  const known = key === 'variants' ? VARIANT_KEYS : key === 'prices' ? PRICE_KEYS : PARAMETER_KEYS;
  return `"${unknown}" is not one of them${didYouMean(nearest(unknown, known))}`;
}

function didYouMean(known: string | undefined): string {
  return known === undefined ? '' : ` (did you mean "${known}"?)`;
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}
