import { InvalidRunInputError } from '../../core/errors.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { privately } from '../../core/text/private-text.ts';
import { placeholdersOf } from '../../prompts/prompt-template.ts';
import type { ModelCall } from './model-call.ts';

/** What a template writes, and what it probably means. */
interface Doubt {
  /** What is wrong, as a sentence. */
  fault: string;
  /** What to write instead, as a sentence. */
  advice: string;
}

/**
 * Holds the prompts of a call against the dataset's columns. Throws InvalidRunInputError where they read a column that it
 * lacks, or would ask the same question of every row; with `force` the latter is noted instead.
 */
export function checkPromptColumns(input: RunInput, call: ModelCall, names: readonly string[]): string[] {
  requireColumns(call, names);
  const doubts = call.template === null ? [] : doubtsOf(call, call.template, names);
  if (input.force === true)
    return doubts.map(({ fault }) => `${fault} It is run all the same, as force is given.`);
  const [first] = doubts;
  if (first !== undefined) {
    throw new InvalidRunInputError(`${first.fault} ${first.advice} To run it all the same, give force.`);
  }
  return [];
}

function requireColumns(call: ModelCall, names: readonly string[]): void {
  const has = `The dataset has ${privately(names.join(', '))}.`;
  for (const [what, pieces] of [
    ['prompt', call.prompt],
    ['system prompt', call.system],
    ['conversation in messages', call.turns.flatMap(({ pieces }) => pieces)],
  ] as const) {
    const missing = placeholdersOf(pieces).filter((column) => !names.includes(column));
    if (missing.length === 0) continue;
    if (call.template === null) {
      throw new InvalidRunInputError(`text_column "${missing[0]}" is not a column of the dataset. ${has}`);
    }
    const quoted = missing.map((column) => `"${column}"`).join(', ');
    throw new InvalidRunInputError(
      `The ${what} needs ${missing.length === 1 ? 'column' : 'columns'} ${quoted}, which the dataset does not have. ${has}${bracesHint(missing)}`,
    );
  }
}

/** How to write braces, where those of a placeholder look like JSON's. */
function bracesHint(placeholders: readonly string[]): string {
  const json = placeholders.find((name) => /["':,\n]/.test(name));
  if (json === undefined) return '';
  const example = json.length > 40 || json.includes('\n') ? '' : `: {{${json}}}`;
  return ` Write braces that are not placeholders twice${example}.`;
}

function doubtsOf(
  { prompt, system, turns, media }: ModelCall,
  template: string,
  names: readonly string[],
): Doubt[] {
  const column = [...template.matchAll(/\{\{\s*([^{}]+?)\s*\}\}/g)]
    .map(([, name = '']) => name)
    .find((name) => names.includes(name));
  if (column !== undefined) {
    return [
      {
        fault: `The prompt template has {{ ${column} }}, as Jinja writes it; here doubled braces are literal ones, so the model would read "{ ${column} }" in every row.`,
        advice: `Write {${column}} for the column's value.`,
      },
    ];
  }
  const shown = turns.flatMap(({ pieces }) => pieces);
  // The same question may well be asked of every image.
  if (media.length > 0 || placeholdersOf([...prompt, ...system, ...shown]).length > 0) return [];
  return [
    {
      fault: 'The prompt template has no placeholder, so it would ask the same question of every row.',
      advice: `Put a column into it, such as ${privately(`{${names[0]}}`)}; the dataset has ${privately(names.join(', '))}.`,
    },
  ];
}
