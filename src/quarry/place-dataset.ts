import { Readable } from 'node:stream';
import { InvalidDatasetError, InvalidRunInputError } from '../core/errors.ts';
import type { StagedDataset } from '../targets/local/local-dataset.ts';
import type { RunWorkOptions } from './runs/run-work.ts';
import { type StagedRows, stageBytes, stageRows } from './stage-rows.ts';

/** A dataset as a run input names it, what its user calls it, and what is to be told of it. */
export interface PlacedDataset extends Omit<StagedDataset, 'uri' | 'folder'> {
  /** The folder of this machine that it is in; undefined where it is in none. */
  folder?: string | undefined;
  input: { s3_uri: string } | { dataset_id: string };
}

/** Of a dataset that is not made of this machine's files. */
export const NOTHING_STAGED: Omit<StagedDataset, 'uri' | 'folder'> = {
  names: [],
  notes: [],
  inPlace: new Map(),
};

/** What stands for a dataset elsewhere than on this machine. */
const ELSEWHERE = /^(?:s3:\/\/|hf:)/;

/** True of a dataset that has to be put where a run reads it. */
export function isOfThisMachine(dataset: unknown): boolean {
  return dataset !== undefined && !(typeof dataset === 'string' && ELSEWHERE.test(dataset));
}

/** The dataset as a run input names it; what is not in the store yet is put there. `format` is what files are said to be. */
export async function placeDataset(
  dataset: unknown,
  { format, ...options }: RunWorkOptions & { format: unknown },
): Promise<PlacedDataset> {
  if (typeof dataset === 'string' && ELSEWHERE.test(dataset)) {
    const input = dataset.startsWith('hf:')
      ? { dataset_id: dataset.slice('hf:'.length) }
      : { s3_uri: dataset };
    return { input, ...NOTHING_STAGED };
  }
  const paths = typeof dataset === 'string' ? [dataset] : pathsOf(dataset);
  if (paths !== undefined) return placePaths(paths, { format, ...options });
  if (!isStream(dataset)) {
    throw new InvalidRunInputError(
      'dataset must be a path or several, s3://bucket/key, hf:owner/name, an iterable of rows, or a stream of bytes.',
    );
  }
  const isBytes = dataset instanceof Readable && !dataset.readableObjectMode;
  const uri = isBytes ? await stageBytes(dataset, { format, ...options }) : await stageRows(dataset, options);
  // Rows of a program, or of a pipe: what they name is where that is.
  return { input: { s3_uri: uri }, folder: process.cwd(), ...NOTHING_STAGED };
}

async function placePaths(
  paths: readonly string[],
  { format, files, tell, signal, isDraft }: RunWorkOptions & { format: unknown },
): Promise<PlacedDataset> {
  const elsewhere = paths.find((path) => ELSEWHERE.test(path));
  if (elsewhere !== undefined) {
    throw new InvalidDatasetError(
      `"${elsewhere}" cannot be one of several: these are paths of this machine. Of S3, name one prefix or pattern, like s3://bucket/folder/*.csv.`,
    );
  }
  const { uri, ...staged } = await files.stage(paths, {
    isDraft,
    onProgress: tell,
    signal,
    format: typeof format === 'string' ? format : undefined,
  });
  return { input: { s3_uri: uri }, ...staged };
}

/** The texts of a list that has nothing else; undefined for rows. */
function pathsOf(dataset: unknown): readonly string[] | undefined {
  if (!Array.isArray(dataset) || dataset.length === 0) return undefined;
  return dataset.every((item) => typeof item === 'string') ? dataset : undefined;
}

function isStream(dataset: unknown): dataset is StagedRows {
  return (
    typeof dataset === 'object' &&
    dataset !== null &&
    (Symbol.iterator in dataset || Symbol.asyncIterator in dataset)
  );
}
