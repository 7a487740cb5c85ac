import { NULL_PROMPT_VALUE, UNKNOWN_PROMPT_ID } from '../../core/jobs/unsent-rows.ts';
import { sqlText } from '../duckdb/duckdb.ts';

const MESSAGES = {
  [NULL_PROMPT_VALUE]: 'A column that the prompt needs is null in this row, so the row was not sent.',
  [UNKNOWN_PROMPT_ID]:
    'What this row has in the prompt_id_column is null, or no prompt’s id, so the row was not sent.',
};

/** SQL for what is told of a row that was not sent; `code` is SQL for its error code. */
export function unsentMessageSql(code: string): string {
  const cases = Object.entries(MESSAGES).map(
    ([name, message]) => `WHEN ${sqlText(name)} THEN ${sqlText(message)}`,
  );
  return `CASE ${code} ${cases.join(' ')} END`;
}
