import { InvalidRunInputError, type RunRequest } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { runInputOf } from './run-flags.ts';

/** What DATASET says of itself in the help. */
export const DATASET_ARGUMENT =
  'a local file, folder or pattern, or several; s3://bucket/key, hf:owner/name, or - for the standard input';

/** What stands for the standard input. */
const STANDARD_INPUT = '-';

/** The request that the command line makes: DATASET, a document (`--input`), and flags that override its keys. */
export async function givenRequest(
  datasets: readonly string[],
  options: Record<string, unknown>,
  context: Pick<CliContext, 'in'>,
): Promise<RunRequest> {
  const [first, ...others] = datasets;
  if (first === undefined && options.input === undefined) {
    throw new InvalidRunInputError(
      'Name a DATASET (a file, a folder, s3://… or hf:…), or a run input with --input.',
    );
  }
  const input = await runInputOf(options);
  if (first === undefined) return input;
  if (datasets.includes(STANDARD_INPUT)) {
    requirePiped(datasets, context);
    return { ...input, dataset: context.in };
  }
  return { ...input, dataset: others.length === 0 ? first : datasets };
}

function requirePiped(datasets: readonly string[], { in: input }: Pick<CliContext, 'in'>): void {
  if (datasets.length > 1) {
    throw new InvalidRunInputError(
      'DATASET "-" is the standard input, and goes alone. A file of that name is ./-.',
    );
  }
  if (input.isTTY) {
    throw new InvalidRunInputError(
      'DATASET "-" is the standard input, and that is a terminal. Pipe a file into it: … | quarry run - --format csv.',
    );
  }
}
