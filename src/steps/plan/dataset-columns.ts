import { InvalidRunInputError } from '../../core/errors.ts';
import type { Dataset } from '../../core/plan/part.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { placeholdersOf } from '../../prompts/prompt-template.ts';
import { requireSoundSchema } from '../../rows/collect/typed-answer.ts';
import type { ModelCall } from './model-call.ts';
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

/** How to write braces, where those of a placeholder look like JSON's. */
function bracesHint(placeholders: readonly string[]): string {
  return placeholders.some((name) => /["':,\n]/.test(name))
    ? ' Write braces that are not placeholders as {{ and }}.'
    : '';
}

/**
 * Throws InvalidRunInputError where the dataset lacks a column that is read, or has one that Quarry adds to the output.
 */
export function checkColumns(input: RunInput, call: ModelCall, { columns }: Dataset): void {
  const names = columns.map(({ name }) => name);
  const has = `The dataset has ${names.join(', ')}.`;
  for (const [what, pieces] of [
    ['prompt', call.prompt],
    ['system prompt', call.system],
  ] as const) {
    const missing = placeholdersOf(pieces).filter((column) => !names.includes(column));
    if (missing.length === 0) continue;
    if (call.template === null) {
      throw new InvalidRunInputError(`text_column "${missing[0]}" is not a column of the dataset. ${has}`);
    }
    const [columns, quoted] = [
      missing.length === 1 ? 'column' : 'columns',
      missing.map((column) => `"${column}"`),
    ];
    throw new InvalidRunInputError(
      `The ${what} needs ${columns} ${quoted.join(', ')}, which the dataset does not have. ${has}${bracesHint(missing)}`,
    );
  }
  if (input.record_id_column !== undefined && !names.includes(input.record_id_column)) {
    throw new InvalidRunInputError(`record_id_column "${input.record_id_column}" is not a column. ${has}`);
  }
  if (call.schema !== undefined) requireSoundSchema(call.schema);
  checkResultColumns(resultColumnsOfRun(input, call), names);
}
