import type { Dataset } from '../../core/plan/part.ts';
import type { PromptIds, Variant } from '../../core/plan/run-plan.ts';
import type { PromptPiece } from '../../prompts/prompt-template.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import { surveyPrompts } from '../../rows/sources/prompt-survey.ts';
import type { ModelCall } from './model-call.ts';

/** A call as the rows of a dataset make it, and which prompts they name; undefined where all rows are asked by the same. */
export interface ChosenPrompts {
  call: ModelCall;
  promptIds: PromptIds | undefined;
}

/**
 * Reads which prompts the first `rows` rows name, where a column chooses them: the call is left with those alone, so that no
 * other prompt needs its columns in the dataset. Throws InvalidRunInputError where no row names one.
 */
export async function choosePrompts(
  call: ModelCall,
  { dataset, local, rows }: { dataset: Dataset; local: readonly LocalDatasetFile[]; rows: number },
): Promise<ChosenPrompts> {
  const choice = call.prompt.find((piece) => piece.kind === 'choice');
  if (choice === undefined) return { call, promptIds: undefined };
  const ids = choice.prompts.map(({ id }) => id);
  const promptIds = await surveyPrompts(local, dataset, { column: choice.column, ids, rows });
  const named = new Set(promptIds.known.map(({ prompt_id }) => prompt_id));
  return { call: withPrompts(call, named), promptIds };
}

/** The call with these of the prompts that it chooses among. */
function withPrompts(call: ModelCall, ids: ReadonlySet<string>): ModelCall {
  const narrowed = (pieces: readonly PromptPiece[]) =>
    pieces.map((piece) =>
      piece.kind === 'choice' ? { ...piece, prompts: piece.prompts.filter(({ id }) => ids.has(id)) } : piece,
    );
  const segments = call.frame.segments.map((segment) =>
    segment.kind === 'string' ? { ...segment, pieces: narrowed(segment.pieces) } : segment,
  );
  const templates = Object.entries(call.templates ?? {}).filter(([id]) => ids.has(id));
  return {
    ...call,
    templates: Object.fromEntries(templates),
    prompt: narrowed(call.prompt),
    frame: { ...call.frame, segments },
  };
}

/** True where a variant is asked by the prompts of a call, as far as its rows name them. */
export function isAskedBy(
  { prompt_template, prompt_templates = {} }: Variant,
  { template, templates = {} }: ModelCall,
): boolean {
  return (
    prompt_template === template &&
    Object.entries(prompt_templates).every(([id, text]) => templates[id] === text)
  );
}

/** What a user should know of rows that name no prompt. */
export function promptIdNotes(promptIds: PromptIds | undefined, column: string | undefined): string[] {
  const { rows, values, first } = promptIds?.unknown ?? { rows: 0, values: 0, first: [] };
  if (rows === 0) return [];
  const n = (value: number) => value.toLocaleString('en-US');
  const told = first.map(
    ({ value, rows: ofValue, first_row }) =>
      `${value === null ? 'null' : JSON.stringify(value)} in ${n(ofValue)} from row ${n(first_row)} on`,
  );
  const more = values > first.length ? `, and ${n(values - first.length)} more values` : '';
  return [
    `${n(rows)} ${rows === 1 ? 'row is' : 'rows are'} not sent (UnknownPromptId), as column "${column}" has no prompt’s id there: ${told.join(', ')}${more}.`,
  ];
}
