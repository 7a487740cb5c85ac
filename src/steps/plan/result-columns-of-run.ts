import { InvalidRunInputError } from '../../core/errors.ts';
import { foldName, stemsOf } from '../../core/plan/names-apart.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { outputOf } from '../../models/adapters/model-adapter.ts';
import { type ResultColumn, type ResultColumns, resultColumnsOf } from '../../rows/results/result-columns.ts';
import type { ModelCall } from './model-call.ts';

/** The columns that a run adds to its dataset's own. */
export function resultColumnsOfRun(
  {
    inference_parameters,
    output_column,
    output_prefix,
    record_id_column,
    reuse,
    rerun_of,
    thinking,
  }: RunInput,
  { adapter, schema }: ModelCall,
): ResultColumns {
  return resultColumnsOf({
    shape: outputOf(adapter, inference_parameters),
    outputColumn: output_column,
    recordIdColumn: record_id_column,
    schema,
    reuse: reuse === true || rerun_of !== undefined,
    outputPrefix: output_prefix,
    thinks: thinking !== undefined && thinking !== 'off',
  });
}

/** Those of a repair part, whose rows are but their record ids. */
export function resultColumnsOfRepair(input: RunInput, call: ModelCall): ResultColumns {
  const { record_id_column: _, ...others } = input;
  return resultColumnsOfRun(others, call);
}

/** Throws InvalidRunInputError where two of the columns have one name, or one of the dataset's own. */
export function checkResultColumns(added: ResultColumns, names: readonly string[]): void {
  const { answer, all } = added;
  const ours = all.find(({ name }) => /^(?:__quarry_|file_row_number$)/i.test(name));
  if (ours !== undefined) {
    throw new InvalidRunInputError(
      `A column of answers cannot be named "${ours.name}": names that begin with __quarry_, and file_row_number, are Quarry’s own. Choose another.`,
    );
  }
  const lower = all.map(({ name }) => name.toLowerCase());
  const twice = all.find(({ name }, index) => lower.indexOf(name.toLowerCase()) !== index);
  if (twice !== undefined) {
    throw new InvalidRunInputError(
      added.properties.some(({ name }) => name.toLowerCase() === twice.name.toLowerCase())
        ? `output_schema has a property "${twice.name}", and Quarry adds a column of that name. Give output_prefix, such as "answer_".`
        : `output_column "${answer.name}" is the name of another column that Quarry adds to the output. Choose another.`,
    );
  }
  const taken = new Set(names.map((name) => name.toLowerCase()));
  const clash = all.find(({ name }) => taken.has(name.toLowerCase()));
  if (clash !== undefined) throw new InvalidRunInputError(clashMessage(clash, answer));
  const twins = names.map(foldName).filter((name, place, folded) => folded.indexOf(name) !== place);
  const taking = all.find(({ name }) => stemsOf(foldName(name)).some((stem) => twins.includes(stem)));
  if (taking === undefined) return;
  throw new InvalidRunInputError(
    `A column of answers cannot be named "${taking.name}", as the dataset has columns whose names differ from its beginning, and from each other, by capitals alone. Choose another name.`,
  );
}

function clashMessage(clash: ResultColumn, answer: ResultColumn): string {
  if (clash === answer) {
    return `The dataset has a column "${clash.name}" already. Name another one for the answers with output_column.`;
  }
  if (clash.from === 'property') {
    return `The dataset has a column "${clash.name}" already, which output_schema adds to the output. Give output_prefix, such as "answer_".`;
  }
  return `The dataset has a column "${clash.name}", which Quarry adds to the output. Rename it in the dataset${clash.from === 'record_id' ? ', or name it as record_id_column' : ''}.`;
}
