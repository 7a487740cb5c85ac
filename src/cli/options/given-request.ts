import { InvalidRunInputError, type RunRequest } from '../../index.ts';
import { runInputOf } from './run-flags.ts';

/** The request that the command line makes: DATASET, a document (`--input`), and flags that override its keys. */
export async function givenRequest(
  dataset: string | undefined,
  options: Record<string, unknown>,
): Promise<RunRequest> {
  if (dataset === undefined && options.input === undefined) {
    throw new InvalidRunInputError(
      'Name a DATASET (a file, a folder, s3://… or hf:…), or a run input with --input.',
    );
  }
  const input = await runInputOf(options);
  return dataset === undefined ? input : { ...input, dataset };
}
