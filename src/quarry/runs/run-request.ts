import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { InvalidRunInputError } from '../../core/errors.ts';
import { type PricedModel, type Prices, priceAmong } from '../../core/run-input/prices.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { isJsonObject } from '../../core/text/json-value.ts';
import { jsonSchemaOf } from '../json-schema-of.ts';
import { NOTHING_STAGED, type PlacedDataset, placeDataset } from '../place-dataset.ts';
import { withPromptText } from '../project/prompt-folder.ts';
import type { OutputSchema } from '../results/answer-types.ts';
import type { RunWorkOptions } from './run-work.ts';

/**
 * A dataset: a path of this machine or several, which may be patterns; `s3://bucket/key`; `hf:owner/name`; the rows
 * themselves; or a Node stream of the bytes of one file, which goes with `format`.
 */
export type Dataset =
  | string
  | readonly string[]
  | Iterable<DatasetRow>
  | AsyncIterable<DatasetRow>
  | Readable;

/** A row, by column; what JSON can say. */
export type DatasetRow = Readonly<Record<string, unknown>>;

/** What is to be run: the keys of a run input, where the dataset may be this machine's, and short names for some of them. */
export type RunRequest<
  Schema extends OutputSchema | undefined = OutputSchema | undefined,
  Prefix extends string = string,
> = Partial<Omit<RunInput, 'output_schema' | 'output_prefix'>> & {
  /** What answers are to be: a schema of zod 4 or another library, a JSON Schema, or its short form. */
  outputSchema?: Schema | undefined;
  /** The same. */
  output_schema?: Schema | undefined;
  /** Put before the names of the columns that the schema adds. */
  output_prefix?: Prefix | undefined;
  /** Instead of `s3_uri` and `dataset_id`. */
  dataset?: Dataset | undefined;
  /** Short for `model_id`. */
  model?: string | undefined;
  /** Short for `prompt_template`. */
  prompt?: string | undefined;
  /** Instead of `prompt_id` and `prompt_template`: a file with the template, and front matter as in a folder of prompts. */
  prompt_file?: string | undefined;
};

/** Short names, and the keys that they stand for. */
const SHORT_NAMES = {
  model: 'model_id',
  prompt: 'prompt_template',
  outputSchema: 'output_schema',
} as const;

/** A request's run input, what its user calls its dataset, and what is to be told of that which the input alone does not say. */
export interface PlacedRequest extends Omit<PlacedDataset, 'input'> {
  input: Record<string, unknown>;
}

/** The run input of a request; what is not in the store yet is put there. */
export async function placeRequest(request: RunRequest, options: RunWorkOptions): Promise<PlacedRequest> {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new InvalidRunInputError(
      "A request is an object, like { dataset: 'reviews.csv', model: '…', prompt: '… {column}' }.",
    );
  }
  const { dataset, ...input } = request as Record<string, unknown>;
  spellOut(input);
  if (isJsonObject(input.variants)) input.variants = await spellVariants(input.variants, options);
  const asked = withPrices(await withPromptText(input, options.prompts), options.prices);
  if (dataset === undefined) {
    return { input: withFilesFolder(asked, undefined, options), ...NOTHING_STAGED };
  }
  const placed = await placeDataset(dataset, { ...options, format: asked.format });
  const whole = { ...withoutDataset(asked), ...placed.input };
  return { ...placed, input: withFilesFolder(whole, placed.folder, options) };
}

/**
 * The input with the folder of this machine that images and documents are in, absolute: a run that is resumed is so from any
 * folder. What a deployed stack runs reads no folder of this machine.
 */
function withFilesFolder(
  input: Record<string, unknown>,
  folder: string | undefined,
  { files }: RunWorkOptions,
): Record<string, unknown> {
  const { files_folder: given, image_columns: images, document_columns: documents } = input;
  if (typeof given === 'string') {
    return given.startsWith('s3://') ? input : { ...input, files_folder: resolve(given) };
  }
  const hasNone = images === undefined && documents === undefined;
  if (hasNone || folder === undefined || files.target.kind === 'aws') return input;
  return { ...input, files_folder: folder };
}

/** Does the work; where it fails, the error names what was put into the store as its user does. */
export async function inOwnWords<T>(
  { names }: Pick<PlacedRequest, 'names'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error) {
      for (const [uri, given] of names) error.message = error.message.replaceAll(uri, given);
    }
    throw error;
  }
}

/** Gives short names their keys, and a schema its JSON Schema. */
function spellOut(input: Record<string, unknown>): void {
  for (const [short, key] of Object.entries(SHORT_NAMES)) {
    if (input[short] === undefined) continue;
    if (input[key] !== undefined && input[key] !== null) {
      throw new InvalidRunInputError(`The request gives both ${short} and ${key}, which mean the same.`);
    }
    input[key] = input[short];
    delete input[short];
  }
  if ((input.output_schema ?? null) !== null) input.output_schema = jsonSchemaOf(input.output_schema);
}

/** The variants with the texts of the prompts that they name, and with what the prompts' files say beside them. */
async function spellVariants(
  variants: Record<string, unknown>,
  { prompts }: Pick<RunWorkOptions, 'prompts'>,
): Promise<Record<string, unknown>> {
  const spelled: Record<string, unknown> = {};
  for (const [name, own] of Object.entries(variants)) {
    if (!isJsonObject(own)) {
      spelled[name] = own;
      continue;
    }
    const variant = { ...own };
    spellOut(variant);
    const none = Object.entries(variant).filter(([, value]) => value === null);
    spelled[name] = { ...(await withPromptText(variant, prompts)), ...Object.fromEntries(none) };
  }
  return spelled;
}

/** The input with the prices of its models that the project has, and not with those of others. */
function withPrices(input: Record<string, unknown>, prices: Prices | undefined): Record<string, unknown> {
  if ((input.prices ?? null) !== null) return input;
  const variants = isJsonObject(input.variants) ? Object.values(input.variants).filter(isJsonObject) : [];
  const asked =
    variants.length === 0 ? [input] : variants.map((own) => ({ ...modelOf(input), ...modelOf(own) }));
  const found = asked.flatMap((model) => {
    const price = priceAmong(prices, model as PricedModel);
    return typeof model.model_id === 'string' && price !== undefined ? [[model.model_id, price]] : [];
  });
  return found.length === 0 ? input : { ...input, prices: Object.fromEntries(found) };
}

function modelOf({ model_id, base_model_id }: Record<string, unknown>): Record<string, unknown> {
  return { ...(model_id ? { model_id } : {}), ...(base_model_id ? { base_model_id } : {}) };
}

function withoutDataset({ s3_uri: _, dataset_id: __, ...input }: Record<string, unknown>) {
  return input;
}
