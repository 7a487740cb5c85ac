import { InvalidRunInputError } from '../../core/errors.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import { privately } from '../../core/text/private-text.ts';
import { type PromptPiece, placeholdersOf } from '../../prompts/prompt-template.ts';
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
  const doubts = templatesOf(call).flatMap((asked) => doubtsOf(call, asked, names));
  if (input.force === true)
    return doubts.map(({ fault }) => `${fault} It is run all the same, as force is given.`);
  const [first] = doubts;
  if (first !== undefined) {
    throw new InvalidRunInputError(`${first.fault} ${first.advice} To run it all the same, give force.`);
  }
  return [];
}

/** A template, what to call it, and its pieces. */
interface NamedTemplate {
  what: string;
  template: string;
  pieces: readonly PromptPiece[];
}

/** What rows are asked by; nothing where they are embedded. */
function templatesOf({ template, templates = {}, prompt }: ModelCall): NamedTemplate[] {
  if (template !== null) return [{ what: 'prompt template', template, pieces: prompt }];
  return prompt.flatMap((piece) =>
    piece.kind === 'choice'
      ? piece.prompts.map(({ id, pieces }) => ({
          what: `prompt "${id}"`,
          template: templates[id] ?? '',
          pieces,
        }))
      : [],
  );
}

function requireColumns(call: ModelCall, names: readonly string[]): void {
  const has = `The dataset has ${privately(names.join(', '))}.`;
  for (const [what, pieces] of [
    ...promptsOf(call),
    ['system prompt', call.system],
    ['conversation in messages', call.turns.flatMap(({ pieces }) => pieces)],
  ] as const) {
    const missing = placeholdersOf(pieces).filter((column) => !names.includes(column));
    if (missing.length === 0) continue;
    if (call.adapter.output.kind === 'embedding') {
      throw new InvalidRunInputError(`text_column "${missing[0]}" is not a column of the dataset. ${has}`);
    }
    const quoted = missing.map((column) => `"${column}"`).join(', ');
    throw new InvalidRunInputError(
      `The ${what} needs ${missing.length === 1 ? 'column' : 'columns'} ${quoted}, which the dataset does not have. ${has}${bracesHint(missing)}`,
    );
  }
}

/** Each prompt that rows may be asked by, and what to call it. */
function promptsOf(call: ModelCall): (readonly [string, readonly PromptPiece[]])[] {
  if (call.templates === undefined) return [['prompt', call.prompt]];
  return templatesOf(call).map(({ what, pieces }) => [what, pieces]);
}

/** How to write braces, where those of a placeholder look like JSON's. */
function bracesHint(placeholders: readonly string[]): string {
  const json = placeholders.find((name) => /["':,\n]/.test(name));
  if (json === undefined) return '';
  const example = json.length > 40 || json.includes('\n') ? '' : `: {{${json}}}`;
  return ` Write braces that are not placeholders twice${example}.`;
}

function doubtsOf(
  { system, turns, media }: ModelCall,
  { what, template, pieces }: NamedTemplate,
  names: readonly string[],
): Doubt[] {
  const column = [...template.matchAll(/\{\{\s*([^{}]+?)\s*\}\}/g)]
    .map(([, name = '']) => name)
    .find((name) => names.includes(name));
  if (column !== undefined) {
    return [
      {
        fault: `The ${what} has {{ ${column} }}, as Jinja writes it; here doubled braces are literal ones, so the model would read "{ ${column} }" in every row.`,
        advice: `Write {${column}} for the column's value.`,
      },
    ];
  }
  const shown = turns.flatMap(({ pieces }) => pieces);
  // The same question may well be asked of every image.
  if (media.length > 0 || placeholdersOf([...pieces, ...system, ...shown]).length > 0) return [];
  return [
    {
      fault: `The ${what} has no placeholder, so it would ask the same question of every row.`,
      advice: `Put a column into it, such as ${privately(`{${names[0]}}`)}; the dataset has ${privately(names.join(', '))}.`,
    },
  ];
}
