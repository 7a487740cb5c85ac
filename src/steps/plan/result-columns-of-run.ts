import type { RunInput } from '../../core/run-input.ts';
import type { ModelAdapter } from '../../models/adapters/model-adapter.ts';
import { type ResultColumns, resultColumnsOf } from '../../rows/results/result-columns.ts';

/** The columns that a run adds to its dataset's own; those of a repair part, whose rows are but ids, add theirs too. */
export function resultColumnsOfRun(
  { output_column, record_id_column }: Pick<RunInput, 'output_column' | 'record_id_column'>,
  { output }: ModelAdapter,
): ResultColumns {
  return resultColumnsOf({
    shape: output,
    outputColumn: output_column,
    recordIdColumn: record_id_column,
  });
}
