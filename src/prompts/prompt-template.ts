import { InvalidRunInputError } from '../core/errors.ts';

/**
 * A prompt template, split once: literal text, and columns whose values stand in between. Where a column's value says
 * which template a row is asked by, there is a choice of them.
 */
export type PromptPiece =
  | { kind: 'literal'; text: string }
  | { kind: 'column'; column: string }
  | { kind: 'choice'; column: string; prompts: readonly IdentifiedPrompt[] };

/** A template among others, by the value that chooses it. */
export interface IdentifiedPrompt {
  id: string;
  pieces: readonly PromptPiece[];
}

/**
 * Splits a template: `{column}` is a placeholder, `{{` and `}}` are literal braces. A column's name may have any
 * character but braces. Throws InvalidRunInputError for a brace without its partner.
 */
export function parsePromptTemplate(template: string, what: string = 'prompt template'): PromptPiece[] {
  const pieces: PromptPiece[] = [];
  let literal = '';
  const flush = () => {
    if (literal !== '') pieces.push({ kind: 'literal', text: literal });
    literal = '';
  };
  for (const [token] of template.matchAll(/\{\{|\}\}|\{[^{}]+\}|[{}]|[^{}]+/g)) {
    if (token === '{{' || token === '}}') literal += token[0];
    else if (token === '{' || token === '}') {
      throw new InvalidRunInputError(
        `The ${what} has a single "${token}". Write {column} for a placeholder, and {{ or }} for a literal brace.`,
      );
    } else if (token.startsWith('{')) {
      flush();
      pieces.push({ kind: 'column', column: token.slice(1, -1) });
    } else literal += token;
  }
  flush();
  return pieces;
}

/** The choice of a row's template by a column's value. */
export function choiceOf(column: string, templates: Readonly<Record<string, string>>): PromptPiece {
  const prompts = Object.entries(templates).map(([id, template]) => ({
    id,
    pieces: parsePromptTemplate(template, `prompt "${id}"`),
  }));
  return { kind: 'choice', column, prompts };
}

/** The columns that a template reads, each once, in the order of their first use; of a choice, what any of its prompts does. */
export function placeholdersOf(pieces: readonly PromptPiece[]): string[] {
  return [...new Set(pieces.flatMap(columnsRead))];
}

function columnsRead(piece: PromptPiece): string[] {
  switch (piece.kind) {
    case 'literal':
      return [];
    case 'column':
      return [piece.column];
    case 'choice':
      return [piece.column, ...piece.prompts.flatMap(({ pieces }) => placeholdersOf(pieces))];
  }
}

/** The prompt of one row, or null where a placeholder's column is null in it, or no prompt has the id that it names. */
export function renderPrompt(
  pieces: readonly PromptPiece[],
  row: Readonly<Record<string, string | null>>,
): string | null {
  let prompt = '';
  for (const piece of pieces) {
    const text = renderPiece(piece, row);
    if (text === null) return null;
    prompt += text;
  }
  return prompt;
}

function renderPiece(piece: PromptPiece, row: Readonly<Record<string, string | null>>): string | null {
  switch (piece.kind) {
    case 'literal':
      return piece.text;
    case 'column':
      return row[piece.column] ?? null;
    case 'choice': {
      const chosen = piece.prompts.find(({ id }) => id === row[piece.column]);
      return chosen === undefined ? null : renderPrompt(chosen.pieces, row);
    }
  }
}
