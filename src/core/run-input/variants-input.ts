import { z } from 'zod';
import { ANSWERS_INPUT } from './answers-input.ts';
import type { Concern, GivenFields, Refuse } from './concern.ts';
import { MODEL_INPUT } from './model-input.ts';
import { PROMPT_INPUT } from './prompt-input.ts';

/** What a variant may have another way than the rest of the run input; null takes what is given there away. */
const overrides = {
  model_id: MODEL_INPUT.fields.model_id,
  base_model_id: MODEL_INPUT.fields.base_model_id,
  thinking: MODEL_INPUT.fields.thinking,
  inference_parameters: z.record(z.string(), z.unknown()),
  prompt_id: PROMPT_INPUT.fields.prompt_id,
  prompt_template: PROMPT_INPUT.fields.prompt_template,
  system_prompt: PROMPT_INPUT.fields.system_prompt,
  messages: PROMPT_INPUT.fields.messages,
  text_column: PROMPT_INPUT.fields.text_column,
  output_schema: ANSWERS_INPUT.fields.output_schema,
  output_schema_form: ANSWERS_INPUT.fields.output_schema_form,
};

/** Every key that a variant may have. */
export const VARIANT_KEYS = Object.keys(overrides);

const VariantInput = z.strictObject(
  Object.fromEntries(Object.entries(overrides).map(([key, schema]) => [key, schema.nullish()])) as {
    [K in keyof typeof overrides]: z.ZodOptional<z.ZodNullable<(typeof overrides)[K]>>;
  },
);
export type VariantInput = z.infer<typeof VariantInput>;

/** Fit for a column's name after `_`: no two underscores meet. */
const VARIANT_NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const MAX_NAME_LENGTH = 24;
const MAX_VARIANTS = 8;

const fields = {
  variants: z.record(z.string(), VariantInput).meta({
    description:
      'Two to eight ways to ask the same rows, side by side in one output: `{"short": {"prompt_id": "…"}, "nova": {"model_id": "…"}}`. Each has a name, which ends the names of its columns (`response_short`), and what it has another way than the rest of the run input: model, prompt, parameters, schema. [Variants](variants.md).',
  }),
  variant: z.string().min(1).meta({
    description:
      'Run this one of `variants` alone, as an ordinary run over all rows, and take the answers that were paid for when all of them were run.',
  }),
};

/** Keys whose work is not done yet where there are variants, and what to do instead. */
const NOT_WITH_VARIANTS: Readonly<Record<string, string>> = {
  prompt_id_column: 'rows are asked by one prompt in each variant',
  prompt_templates: 'rows are asked by one prompt in each variant',
  dedupe: 'each row is sent once in each variant',
  reuse: 'all variants are asked. Answers are kept: a run with variant, of one of them alone, takes them',
  rerun_of: 'name one of them with variant',
  pilot_rows: 'give max_records for a small try',
  max_num_jobs: 'give max_records for fewer rows',
};

/** How the same rows are asked in several ways in one run. */
export const VARIANTS_INPUT = {
  title: 'Variants',
  about: 'How the same rows are asked in several ways in one run ([variants.md](variants.md)).',
  fields,
  check(given: GivenFields<typeof fields>, refuse: Refuse) {
    const { variants, variant } = given;
    if (variants === undefined) {
      if (variant !== undefined) refuse('variant', 'goes with variants, and names one of them');
      return;
    }
    const names = typeof variants === 'object' && variants !== null ? Object.keys(variants) : [];
    if (names.length < 2 || names.length > MAX_VARIANTS) {
      refuse('variants', `has ${names.length}. Give two to ${MAX_VARIANTS}, or leave it out`);
    }
    for (const name of names) {
      if (VARIANT_NAME.test(name) && name.length <= MAX_NAME_LENGTH) continue;
      refuse(
        'variants',
        `"${name}" is no name: use up to ${MAX_NAME_LENGTH} small letters and digits, a letter first, and single underscores between them`,
      );
    }
    if (variant !== undefined) {
      if (!names.includes(variant))
        refuse('variant', `there is no "${variant}": there are ${names.join(', ')}`);
      return;
    }
    for (const [key, why] of Object.entries(NOT_WITH_VARIANTS)) {
      const value = (given as Record<string, unknown>)[key];
      if (value !== undefined && value !== false) refuse(key, `does not go with variants: ${why}`);
    }
  },
} satisfies Concern;

/** A run input, as far as its variants go. */
interface Varied {
  variants?: Record<string, VariantInput> | undefined;
  variant?: string | undefined;
  inference_parameters?: object | undefined;
}

/** Keys of which one takes the place of the others. */
const PROMPT_KEYS = ['prompt_id', 'prompt_template'] as const;

/** Keys that go with `output_schema`. */
const SCHEMA_KEYS = ['output_prefix', 'output_schema_form', 'reask'] as const;

/** The run input of one variant, as if it were the only one. Inference parameters are merged one by one. */
export function inputOfVariant<Input extends Varied>(
  { variants: _, variant: __, ...others }: Input,
  own: VariantInput,
): Omit<Input, 'variants' | 'variant'> {
  const input: Record<string, unknown> = { ...others };
  if (PROMPT_KEYS.some((key) => (own[key] ?? null) !== null))
    for (const key of PROMPT_KEYS) delete input[key];
  if ((own.model_id ?? null) !== null) delete input.base_model_id;
  if (own.output_schema === null) for (const key of SCHEMA_KEYS) delete input[key];
  for (const [key, value] of Object.entries(own)) {
    if (value === null) delete input[key];
    else if (key === 'inference_parameters') {
      const merged = { ...others.inference_parameters, ...(value as object) };
      input[key] = Object.fromEntries(Object.entries(merged).filter(([, each]) => each !== null));
    } else if (value !== undefined) input[key] = value;
  }
  return input as Omit<Input, 'variants' | 'variant'>;
}

/** The run input of the variant that is to be run alone, which is one of those given: over all rows, with the answers of the others' run. */
export function inputOfChosen(given: Varied): Record<string, unknown> {
  const variant = given.variant as string;
  const own = (given.variants as Record<string, VariantInput>)[variant] as VariantInput;
  const { run_id, reuse, dedupe, ...input }: Record<string, unknown> = inputOfVariant(given, own);
  return {
    ...input,
    ...(run_id === undefined ? {} : { run_id: `${run_id}-${variant.replaceAll('_', '-')}` }),
    ...(dedupe === undefined || dedupe === false ? {} : { dedupe }),
    reuse: reuse ?? true,
  };
}
