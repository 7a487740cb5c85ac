import type { RunInput } from '../../core/run-input.ts';
import type { ModelAdapter } from '../../models/adapters/model-adapter.ts';

/** The columns that the output has beside the dataset's own, the answers' first. */
export function outputColumnsOf(input: RunInput, { output }: ModelAdapter): string[] {
  const answer = input.output_column ?? (output.kind === 'embedding' ? 'embedding' : 'response');
  // A dataset's own record_id column is the one in the output where it is used as such.
  const recordId = input.record_id_column === 'record_id' ? [] : ['record_id'];
  return [
    answer,
    ...recordId,
    'error_code',
    'error_message',
    'stop_reason',
    'input_tokens',
    'output_tokens',
    'attempts',
  ];
}
