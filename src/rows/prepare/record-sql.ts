import { InvalidRunInputError } from '../../core/errors.ts';
import { NULL_PROMPT_VALUE, UNKNOWN_PROMPT_ID } from '../../core/jobs/unsent-rows.ts';
import { columnGiven, givenName } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import { RECORD_ID_DIGITS } from '../../core/record-id.ts';
import { privately } from '../../core/text/private-text.ts';
import type { ModelInvocationType } from '../../models/adapters/model-adapter.ts';
import { columnsOf, type RecordFrame, type RecordSegment, stringsOf } from '../../models/record-frame.ts';
import { type PromptPiece, placeholdersOf } from '../../prompts/prompt-template.ts';
import { columnText } from '../duckdb/column-text.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';
import { promptTextSql } from '../duckdb/prompt-text.ts';
import { mediaDigestsSql } from '../media/media-sql.ts';

/** The columns that Prepare adds to a part's rows, and Collect takes away again. */
export const RECORD_ID_COLUMN = '__quarry_record_id';
/** How often a record was sent before; a repair part has it, a part of the dataset has not. */
export const ATTEMPTS_COLUMN = '__quarry_attempts';
/** Why the row is not sent; null where it is sent, or answered elsewhere. */
export const ERROR_CODE_COLUMN = '__quarry_error_code';
/**
 * The record whose answer is this row's too: the row is answered elsewhere, and not sent. Null where it has its own.
 * Rows have this column, and the next two, where identical requests are sent once.
 */
export const ANSWERED_BY_COLUMN = '__quarry_answered_by';
/** Global number of that record's row. */
export const ANSWERED_BY_ROW_COLUMN = '__quarry_answered_by_row';
/** Id of the run whose answer is this row's too: the row is not sent. Null where no former run has one. */
export const REUSED_FROM_COLUMN = '__quarry_reused_from';
/** Before the names of the columns that have what such an answer is. */
export const LAID_PREFIX = '__quarry_laid_';
/**
 * What the row asks, as `requestHashSql` has it; null where it asks nothing. Not in every run, as SHA-256 takes a third of
 * Prepare's CPU, and a later run can work it out from the output's columns and the plan.
 */
export const REQUEST_HASH_COLUMN = '__quarry_request_hash';
/** Of a row that is not sent for an image or a document: what is wrong with it. Only rows with such have this column. */
export const ERROR_MESSAGE_COLUMN = '__quarry_error_message';

/** SQL for each string that a row's record has of the row; all of them null where the row cannot be asked. */
export function promptsSql(frame: RecordFrame, columns: readonly Column[]): string[] {
  const textOf = (name: string) => columnText(columnNamed(columns, name));
  const isUnasked = isUnaskedSql(frame, columns);
  return stringsOf(frame).map(
    (pieces) =>
      `CASE WHEN NOT (${isUnasked}) THEN ${promptTextSql(pieces, { textOf, nulls: 'passed over' })} END`,
  );
}

function isUnaskedSql(frame: RecordFrame, columns: readonly Column[]): string {
  return (
    unaskedReasons(frame, columns)
      .map(({ isTrue }) => isTrue)
      .join(' OR ') || 'false'
  );
}

/** SQL for the bytes of a row's prompts; null where the row cannot be asked. */
export function promptBytesSql(frame: RecordFrame, columns: readonly Column[]): string {
  const sizes = promptsSql(frame, columns).map((prompt) => `strlen(${prompt})`);
  return sizes.join(' + ') || `CASE WHEN NOT (${isUnaskedSql(frame, columns)}) THEN 0 END`;
}

/** SQL that is true of the rows of a part that are sent; `names` are those of the rows' columns. */
export function isSentSql(names: readonly string[]): string {
  const others = [ANSWERED_BY_COLUMN, REUSED_FROM_COLUMN].filter((name) => names.includes(name));
  return `(${[ERROR_CODE_COLUMN, ...others].map((name) => `${name} IS NULL`).join(' AND ')})`;
}

/** The dataset's columns that a frame reads, each once. */
export function columnsRead(frame: RecordFrame, columns: readonly Column[]): string[] {
  return columnsOf(frame).map((given) => columnNamed(columns, given).name);
}

/** SQL for the error code of a row that cannot be asked; null where it can. */
export function unaskedCodeSql(frame: RecordFrame, columns: readonly Column[]): string {
  const reasons = unaskedReasons(frame, columns).map(
    ({ isTrue, code }) => `WHEN ${isTrue} THEN ${sqlText(code)}`,
  );
  return reasons.length === 0 ? 'CAST(NULL AS VARCHAR)' : `CASE ${reasons.join(' ')} END`;
}

/** Why a row may have no prompt, the first reason first, each with SQL that is true of such rows where no earlier one is. */
function unaskedReasons(frame: RecordFrame, columns: readonly Column[]): { isTrue: string; code: string }[] {
  const pieces = stringsOf(frame).flat();
  const choices = pieces.flatMap((piece) => (piece.kind === 'choice' ? [piece] : []));
  const idOf = ({ column }: { column: string }) => columnText(columnNamed(columns, column));
  const isUnknown = choices.map((choice) => {
    const ids = choice.prompts.map(({ id }) => sqlText(id)).join(', ');
    return `coalesce(${idOf(choice)} NOT IN (${ids}), true)`;
  });
  const isNull = (read: readonly PromptPiece[], more: readonly string[] = []) =>
    [...new Set([...placeholdersOf(read), ...more])]
      .map((name) => `${sqlName(columnNamed(columns, name).name)} IS NULL`)
      .join(' OR ');
  const shown = (frame.media ?? []).map(({ column }) => column);
  const isNullInPrompt = [
    isNull(
      pieces.filter(({ kind }) => kind !== 'choice'),
      shown,
    ),
    ...choices.flatMap((choice) =>
      choice.prompts.map((prompt) => {
        const anyNull = isNull(prompt.pieces);
        return anyNull === '' ? '' : `(${idOf(choice)} = ${sqlText(prompt.id)} AND (${anyNull}))`;
      }),
    ),
  ].filter((sql) => sql !== '');
  return [
    { isTrue: isUnknown.join(' OR '), code: UNKNOWN_PROMPT_ID },
    { isTrue: isNullInPrompt.join(' OR '), code: NULL_PROMPT_VALUE },
  ].filter(({ isTrue }) => isTrue !== '');
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
 * nor prompts may be null: `concat` would pass over them. `prompts` are what `promptsSql` gives, in the rows' own names.
 */
export function recordLinesSql(frame: RecordFrame, rows: RecordRows): string {
  return recordTextsSql(frame, { ...rows, names: ['line'] });
}

/** Rows of which records are made: the SQL that gives them, and their columns of ids and prompts. */
interface RecordRows {
  recordId: string;
  prompts: readonly string[];
  from: string;
}

/**
 * The same where lines have images or documents in them: SQL for their texts before, between and after these, as the columns
 * `names`, beside those that are `kept`.
 */
export function recordTextsSql(
  frame: RecordFrame,
  {
    recordId,
    prompts,
    from,
    names: texts,
    kept = [],
  }: RecordRows & {
    names: readonly string[];
    kept?: readonly string[];
  },
): string {
  const strings = promptJsonNames(frame).values();
  const pieces = [[sqlText('{"recordId":'), lowerEscapesSql('record_id_json'), sqlText(',"modelInput":')]];
  for (const segment of frame.segments) {
    if (segment.kind === 'media') pieces.push([]);
    else pieces.at(-1)?.push(pieceSql(segment, strings));
  }
  pieces.at(-1)?.push(sqlText('}'));
  const names = promptJsonNames(frame);
  const prompted = prompts.map((prompt, index) => `${jsonTextSql(prompt)} AS ${names[index]}`);
  const selected = pieces.map((of, index) => `concat('', ${of.join(', ') || `''`}) AS ${texts[index]}`);
  // Named, as DuckDB would work out an expression within CASE once for each time that it stands there.
  return `SELECT ${[...kept, ...selected].join(', ')}
    FROM (SELECT ${[...kept, `${jsonTextSql(recordId)} AS record_id_json`, ...prompted].join(', ')} FROM (${from}))`;
}

/**
 * Names of the columns that have the strings of a row's record as JSON, in the order of `promptsSql`: beside all columns of
 * a dataset, which may well have one named `prompt_json`.
 */
export function promptJsonNames(frame: RecordFrame): string[] {
  return stringsOf(frame).map((_, index) => `__quarry_prompt_${index}_json`);
}

/** SQL for a piece of a body, of columns that have its strings as JSON. */
function pieceSql(
  segment: Exclude<RecordSegment, { kind: 'media' }>,
  strings: IterableIterator<string>,
): string {
  return segment.kind === 'text' ? sqlText(segment.text) : lowerEscapesSql(strings.next().value ?? '');
}

/** Who is asked: with the body, all that decides an answer. */
export interface Asked {
  /** Who answers: Bedrock, a simulated model, or a server. Answers of one are never another's. */
  answerer: string;
  /** The model that really answers: not the profile's or the alias's id where the one behind it is known. */
  modelId: string;
  invocationType: ModelInvocationType;
}

/**
 * SQL for the content hash of the requests of the rows that `from` gives: the column `REQUEST_HASH_COLUMN`, beside those that are
 * `kept`. It is SHA-256 over who answers, the model, the invocation type and the whole body as it is sent, a line each; null
 * where a row cannot be asked. Answers are kept by it: what it is made of must never change. An image or a document
 * stands there by the SHA-256 of its bytes; where a text names it, the hash is null.
 */
export function requestHashSql(
  { frame, asked, columns }: { frame: RecordFrame; asked: Asked; columns: readonly Column[] },
  { from, kept = [] }: { from: string; kept?: readonly string[] },
): string {
  const digests = mediaDigestsSql(frame, columns);
  const before = sqlText(`${asked.answerer}\n${asked.modelId}\n${asked.invocationType}\n`);
  const names = promptJsonNames(frame);
  const strings = names.values();
  const body = frame.segments.map((segment) => {
    if (segment.kind !== 'media') return pieceSql(segment, strings);
    return segment.value === 'base64' ? digestName(segment.index) : "''";
  });
  const prompted = promptsSql(frame, columns).map(
    (prompt, index) => `${jsonTextSql(prompt)} AS ${names[index]}`,
  );
  const digested = digests.map((digest, index) => `${digest} AS ${digestName(index)}`);
  const parts = [
    ...(names[0] === undefined ? [] : [names[0]]),
    ...digests.map((_, index) => digestName(index)),
  ];
  const isWhole = parts.map((name) => `${name} IS NOT NULL`).join(' AND ') || 'true';
  return `SELECT ${[...kept, `CASE WHEN ${isWhole} THEN unhex(sha256(concat(${[before, ...body].join(', ')}))) END AS ${REQUEST_HASH_COLUMN}`].join(', ')}
    FROM (SELECT ${['*', ...prompted, ...digested].join(', ')} FROM ${from})`;
}

/** Names of the columns that `requestHashSql` adds besides. */
export function hashedNames(frame: RecordFrame): string[] {
  return [...promptJsonNames(frame), ...(frame.media ?? []).map((_, index) => digestName(index))];
}

function digestName(index: number): string {
  return `__quarry_media_${index}_digest`;
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
  const column = columnGiven(columns, name);
  if (column === undefined) {
    throw new InvalidRunInputError(
      `The dataset has no column "${name}"; it has ${privately(columns.map((candidate) => givenName(candidate.name)).join(', '))}.`,
    );
  }
  return column;
}
