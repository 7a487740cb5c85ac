import { InvalidRunInputError } from '../core/errors.ts';

/** A prompt template, split once: literal text, and columns whose values stand in between. */
export type PromptPiece = { kind: 'literal'; text: string } | { kind: 'column'; column: string };

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

/** The columns that a template reads, each once, in the order of their first use. */
export function placeholdersOf(pieces: readonly PromptPiece[]): string[] {
  return [...new Set(pieces.flatMap((piece) => (piece.kind === 'column' ? [piece.column] : [])))];
}

/** The prompt of one row, or null where a placeholder's column is null in it. */
export function renderPrompt(
  pieces: readonly PromptPiece[],
  row: Readonly<Record<string, string | null>>,
): string | null {
  let prompt = '';
  for (const piece of pieces) {
    const text = piece.kind === 'literal' ? piece.text : row[piece.column];
    if (text === null || text === undefined) return null;
    prompt += text;
  }
  return prompt;
}
