import type { PromptPiece } from '../../prompts/prompt-template.ts';
import { sqlText } from './duckdb.ts';

/** How pieces become one text. */
export interface PromptTextOptions {
  /** SQL for the text of a column. */
  textOf: (column: string) => string;
  /** What a null among the pieces makes of the whole: nothing of it, which is quicker where no row has one; or null. */
  nulls: 'passed over' | 'null';
}

/** SQL for the text that pieces make of a row. */
export function promptTextSql(pieces: readonly PromptPiece[], options: PromptTextOptions): string {
  const texts = ["''", ...pieces.map((piece) => pieceSql(piece, options))];
  // Not `||`, which copies what it has so far for each piece. But `concat` takes a null for an empty text.
  return options.nulls === 'null' ? `(${texts.join(' || ')})` : `concat(${texts.join(', ')})`;
}

function pieceSql(piece: PromptPiece, options: PromptTextOptions): string {
  switch (piece.kind) {
    case 'literal':
      return sqlText(piece.text);
    case 'column':
      return options.textOf(piece.column);
    case 'choice': {
      const prompts = piece.prompts.map(
        ({ id, pieces }) => `WHEN ${sqlText(id)} THEN ${promptTextSql(pieces, options)}`,
      );
      return `CASE ${options.textOf(piece.column)} ${prompts.join(' ')} END`;
    }
  }
}
