import { InvalidRunInputError } from '../../core/errors.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { privately } from '../../core/text/private-text.ts';
import { requireSoundSchema } from '../../rows/collect/typed-answer.ts';
import { checkMediaColumns } from './media-of-run.ts';
import type { ModelCall } from './model-call.ts';
import { checkPromptColumns } from './prompt-columns.ts';
import { checkResultColumns, resultColumnsOfRun } from './result-columns-of-run.ts';

/** Quarry's own column of record ids, which a dataset has that was a run's output. */
const OUTPUT_RECORD_ID = 'record_id';

/** The run input, with the dataset's own record_id column as what gives the record ids, unless another is named. */
export function withRecordIds(input: RunInput, { columns }: Dataset): RunInput {
  const isThere = columns.some(({ name }) => name === OUTPUT_RECORD_ID);
  return input.record_id_column === undefined && isThere
    ? { ...input, record_id_column: OUTPUT_RECORD_ID }
    : input;
}

/**
 * Throws InvalidRunInputError where the dataset lacks a column that is read, or has one that Quarry adds to the output.
 * Returns what a user should know of its prompts.
 */
export function checkColumns(input: RunInput, call: ModelCall, { columns }: Dataset): string[] {
  const names = columns.map(({ name }) => name);
  checkMediaColumns(input, call, { columns });
  const notes = checkPromptColumns(input, call, names);
  if (input.record_id_column !== undefined && !names.includes(input.record_id_column)) {
    throw new InvalidRunInputError(
      `record_id_column "${input.record_id_column}" is not a column. The dataset has ${privately(names.join(', '))}.`,
    );
  }
  if (call.schema !== undefined) requireSoundSchema(call.schema);
  checkResultColumns(resultColumnsOfRun(input, call), names);
  return notes;
}
