import { InvalidRunInputError } from '../../core/errors.ts';
import type { Column } from '../../core/part.ts';
import { RECORD_ID_DIGITS } from '../../core/record-id.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { placeholdersOf } from '../../prompts/prompt-template.ts';
import { columnText } from '../duckdb/column-text.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';

/** The columns that Prepare adds to a part's rows, and Collect takes away again. */
export const RECORD_ID_COLUMN = '__quarry_record_id';
/** How often a record was sent before; a repair part has it, a part of the dataset has not. */
export const ATTEMPTS_COLUMN = '__quarry_attempts';
/** Null where the row was sent. */
export const ERROR_CODE_COLUMN = '__quarry_error_code';
/** The record whose answer is this row's too; null where the row has its own. Where rows are sent once only. */
export const CANONICAL_ID_COLUMN = '__quarry_canonical_id';
/** Global number of that record's row. */
export const CANONICAL_ROW_COLUMN = '__quarry_canonical_row';
/** Error code of a row whose prompt needs a value that is null. */
export const NULL_PROMPT_VALUE = 'NullPromptValue';

/** SQL for a row's prompt; null where a placeholder's column is null. */
export function promptSql(frame: RecordFrame, columns: readonly Column[]): string {
  const pieces = frame.prompt.map((piece) =>
    piece.kind === 'literal' ? sqlText(piece.text) : columnText(columnNamed(columns, piece.column)),
  );
  // Not `||`, which copies what it has so far for each piece. But `concat` takes a null for an empty text.
  return `CASE WHEN NOT (${isPromptNullSql(frame)}) THEN concat('', ${pieces.join(', ') || `''`}) END`;
}

/** SQL that is true where a placeholder's column is null. */
export function isPromptNullSql(frame: RecordFrame): string {
  return (
    placeholdersOf(frame.prompt)
      .map((name) => `${sqlName(name)} IS NULL`)
      .join(' OR ') || 'false'
  );
}

/** SQL for a row's record id: the column's text, or `recordIdOf` of the global row number that `rowNumber` gives. */
export function recordIdSql(
  columns: readonly Column[],
  { recordIdColumn, rowNumber }: { recordIdColumn: string | undefined; rowNumber: string },
): string {
  return recordIdColumn === undefined
    ? `format('r{:0${RECORD_ID_DIGITS}d}', ${rowNumber})`
    : columnText(columnNamed(columns, recordIdColumn));
}

/**
 * SQL for the JSONL lines, without their newlines, of the rows that `from` gives: the column `line`. Neither record id
 * nor prompt may be null: `concat` would pass over it.
 */
export function recordLinesSql(
  frame: RecordFrame,
  { recordId, prompt, from }: { recordId: string; prompt: string; from: string },
): string {
  const pieces = [
    sqlText('{"recordId":'),
    lowerEscapesSql('record_id_json'),
    sqlText(`,"modelInput":${frame.before}`),
    lowerEscapesSql('prompt_json'),
    sqlText(`${frame.after}}`),
  ];
  // Named, as DuckDB would work out an expression within CASE once for each time that it stands there.
  return `SELECT concat(${pieces.join(', ')}) AS line
    FROM (SELECT ${jsonTextSql(recordId)} AS record_id_json, ${jsonTextSql(prompt)} AS prompt_json FROM (${from}))`;
}

function jsonTextSql(text: string): string {
  return `CAST(to_json(${text}) AS VARCHAR)`;
}

/** The escapes that DuckDB spells with capitals. */
const CAPITAL_ESCAPES = ['0B', '0E', '0F', '1A', '1B', '1C', '1D', '1E', '1F'];

/**
 * SQL for what DuckDB wrote as JSON, byte for byte as `JSON.stringify` writes it: they differ in the letters of \u00xx
 * only. Escaped backslashes step aside meanwhile, lest `\\u000B` be taken for one. `json` is a column.
 */
function lowerEscapesSql(json: string): string {
  const lowered = CAPITAL_ESCAPES.reduce(
    (sql, hex) => `replace(${sql}, '\\u00${hex}', '\\u00${hex.toLowerCase()}')`,
    `replace(${json}, '\\\\', chr(1))`,
  );
  // The first test is quick and false nearly everywhere; of the rest, most are \u0007 and the like.
  const differs = `contains(${json}, '\\u00') AND regexp_matches(${json}, '\\\\u00(${CAPITAL_ESCAPES.join('|')})')`;
  return `CASE WHEN ${differs} THEN replace(${lowered}, chr(1), '\\\\') ELSE ${json} END`;
}

function columnNamed(columns: readonly Column[], name: string): Column {
  const column = columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    throw new InvalidRunInputError(
      `The dataset has no column "${name}"; it has ${columns.map((candidate) => candidate.name).join(', ')}.`,
    );
  }
  return column;
}
