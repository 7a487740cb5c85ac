import { InvalidRunInputError } from '../../core/errors.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { withPromptText } from '../project/prompt-folder.ts';
import { type StagedRows, stageRows } from '../stage-rows.ts';
import type { RunWorkOptions } from './run-work.ts';

/** A dataset: a path of this machine, `s3://bucket/key`, `hf:owner/name`, or the rows themselves. */
export type Dataset = string | Iterable<DatasetRow> | AsyncIterable<DatasetRow>;

/** A row, by column; what JSON can say. */
export type DatasetRow = Readonly<Record<string, unknown>>;

/** What is to be run: the keys of a run input, where the dataset may be this machine's, and short names for three of them. */
export type RunRequest = Partial<RunInput> & {
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
const SHORT_NAMES = { model: 'model_id', prompt: 'prompt_template' } as const;

/** A request's run input, and what is to be told of its dataset that nobody can know who reads the input alone. */
export interface PlacedRequest {
  input: Record<string, unknown>;
  notes: string[];
}

/** The run input of a request; what is not in the store yet is put there. */
export async function runInputOf(request: RunRequest, options: RunWorkOptions): Promise<PlacedRequest> {
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw new InvalidRunInputError(
      "A request is an object, like { dataset: 'reviews.csv', model: '…', prompt: '… {column}' }.",
    );
  }
  const { dataset, ...input } = request as Record<string, unknown>;
  for (const [short, key] of Object.entries(SHORT_NAMES)) {
    if (input[short] === undefined) continue;
    if (input[key] !== undefined && input[key] !== null) {
      throw new InvalidRunInputError(`The request gives both ${short} and ${key}, which mean the same.`);
    }
    input[key] = input[short];
    delete input[short];
  }
  const asked = await withPromptText(input, options.prompts);
  if (dataset === undefined) return { input: asked, notes: [] };
  const { notes, ...place } = await placeDataset(dataset, options);
  return { input: { ...withoutDataset(asked), ...place }, notes };
}

/** Does the work; where it fails, the error names a dataset that was put into the store by the user's own path. */
export async function inOwnWords<T>(
  { dataset }: RunRequest,
  { s3_uri: uri }: Record<string, unknown>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && typeof dataset === 'string' && typeof uri === 'string') {
      error.message = error.message.replaceAll(uri, dataset.replace(/(?<=.)\/+$/, ''));
    }
    throw error;
  }
}

function withoutDataset({ s3_uri: _, dataset_id: __, ...input }: Record<string, unknown>) {
  return input;
}

async function placeDataset(
  dataset: unknown,
  { files, tell, signal }: RunWorkOptions,
): Promise<({ s3_uri: string } | { dataset_id: string }) & { notes: string[] }> {
  if (typeof dataset === 'string') {
    if (dataset.startsWith('s3://')) return { s3_uri: dataset, notes: [] };
    if (dataset.startsWith('hf:')) return { dataset_id: dataset.slice('hf:'.length), notes: [] };
    const { uri, notes } = await files.stage(dataset, { onProgress: tell, signal });
    return { s3_uri: uri, notes };
  }
  if (!isRows(dataset)) {
    throw new InvalidRunInputError(
      'dataset must be a path, s3://bucket/key, hf:owner/name, or an iterable of rows.',
    );
  }
  return { s3_uri: await stageRows(dataset, { files, signal }), notes: [] };
}

function isRows(dataset: unknown): dataset is StagedRows {
  return (
    typeof dataset === 'object' &&
    dataset !== null &&
    (Symbol.iterator in dataset || Symbol.asyncIterator in dataset)
  );
}
