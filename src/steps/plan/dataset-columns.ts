import { InvalidRunInputError } from '../../core/errors.ts';
import { columnGiven, givenName } from '../../core/plan/names-apart.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { privately } from '../../core/text/private-text.ts';
import { requireSoundSchema } from '../../rows/collect/typed-answer.ts';
import { listed } from '../../rows/sources/listed.ts';
import { checkMediaColumns } from './media-of-run.ts';
import type { ModelCall } from './model-call.ts';
import { checkPromptColumns } from './prompt-columns.ts';
import { checkResultColumns, resultColumnsOfRun } from './result-columns-of-run.ts';

/** Quarry's own column of record ids, which a dataset has that was a run's output. */
const OUTPUT_RECORD_ID = 'record_id';

/** The run input, with the dataset's own record_id column as what gives the record ids, unless another is named. */
export function withRecordIds(input: RunInput, { columns }: Dataset): RunInput {
  const isThere = columnGiven(columns, OUTPUT_RECORD_ID) !== undefined;
  return input.record_id_column === undefined && isThere
    ? { ...input, record_id_column: OUTPUT_RECORD_ID }
    : input;
}

/**
 * Throws InvalidRunInputError where the dataset lacks a column that is read, or has one that Quarry adds to the output.
 * Returns what a user should know of its prompts.
 */
export async function checkColumns(
  input: RunInput,
  call: ModelCall,
  { columns }: Dataset,
): Promise<string[]> {
  const names = columns.map(({ name }) => givenName(name));
  checkMediaColumns(input, call, { columns });
  const notes = checkPromptColumns(input, call, names);
  if (input.record_id_column !== undefined && !names.includes(input.record_id_column)) {
    throw new InvalidRunInputError(
      `record_id_column "${input.record_id_column}" is not a column. The dataset has ${privately(names.join(', '))}.`,
    );
  }
  if (call.schema !== undefined) await requireSoundSchema(call.schema);
  const ids = names.filter((name) => name.toLowerCase() === OUTPUT_RECORD_ID);
  if (ids.length > 1) {
    throw new InvalidRunInputError(
      `The dataset has columns ${listed(ids.map((name) => `"${name}"`))}, and Quarry finds rows again by record_id, in capitals or not. Rename all but one.`,
    );
  }
  checkResultColumns(resultColumnsOfRun(input, call), names);
  return notes;
}
