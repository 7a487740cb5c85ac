import { InvalidRunInputError, NotSupportedError } from '../core/errors.ts';
import { LOCAL_BUCKET, sha256 } from '../local/local-target.ts';
import { stageDataset } from '../local/stage-dataset.ts';
import { runInputOf } from './run-flags.ts';

/** What says, on the command line, what is to be run. */
export interface GivenRun {
  input?: string;
  dir: string;
  [flag: string]: unknown;
}

/** The run input that the command line gives; a local dataset is put into the store, where a run reads it. */
export async function givenRunInput(
  dataset: string | undefined,
  options: GivenRun,
): Promise<Record<string, unknown>> {
  if (dataset === undefined && options.input === undefined) {
    throw new InvalidRunInputError(
      'Name a DATASET (a file, a folder, s3://… or hf:…), or a run input with --input.',
    );
  }
  return runInputOf(options, await datasetKeys(dataset, options.dir));
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

/** Throws unless this version runs the target. */
export function requireLocalTarget(target: string): void {
  if (target === 'local') return;
  if (target === 'bedrock' || target === 'aws') {
    throw new NotSupportedError(
      `--target ${target} is not yet supported by this version. Use --target local.`,
    );
  }
  throw new InvalidRunInputError(`--target "${target}" is unknown. Targets: local, bedrock, aws.`);
}

async function datasetKeys(dataset: string | undefined, directory: string) {
  if (dataset === undefined) return undefined;
  if (dataset.startsWith('s3://')) return { s3_uri: dataset };
  if (dataset.startsWith('hf:')) return { dataset_id: dataset.slice('hf:'.length) };
  return { s3_uri: await stageDataset(dataset, { directory, bucket: LOCAL_BUCKET, hash: sha256 }) };
}
