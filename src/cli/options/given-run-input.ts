import { InvalidRunInputError } from '../../core/errors.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { runInputOf } from './run-flags.ts';

/** What says, on the command line, what is to be run. */
export interface GivenRun {
  input?: string;
  stage: (path: string) => Promise<S3Uri>;
  [flag: string]: unknown;
}

/** The run input that the command line gives; `stage` puts a local dataset into the store, where a run reads it. */
export async function givenRunInput(
  dataset: string | undefined,
  { stage, ...options }: GivenRun,
): Promise<Record<string, unknown>> {
  if (dataset === undefined && options.input === undefined) {
    throw new InvalidRunInputError(
      'Name a DATASET (a file, a folder, s3://… or hf:…), or a run input with --input.',
    );
  }
  return runInputOf(options, await datasetKeys(dataset, stage));
}

/** Does the work; where it fails, the error names a dataset that was put into the store by the user's own path. */
export async function inOwnWords<T>(
  dataset: string | undefined,
  input: Record<string, unknown>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { s3_uri: uri } = input;
    if (error instanceof Error && dataset !== undefined && typeof uri === 'string') {
      error.message = error.message.replaceAll(uri, dataset.replace(/(?<=.)\/+$/, ''));
    }
    throw error;
  }
}

async function datasetKeys(dataset: string | undefined, stage: (path: string) => Promise<S3Uri>) {
  if (dataset === undefined) return undefined;
  if (dataset.startsWith('s3://')) return { s3_uri: dataset };
  if (dataset.startsWith('hf:')) return { dataset_id: dataset.slice('hf:'.length) };
  return { s3_uri: await stage(dataset) };
}
