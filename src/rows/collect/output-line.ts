import { isJsonObject } from '../../core/text/json-value.ts';
import { sqlPath, sqlText } from '../duckdb/duckdb.ts';
import {
  type AnswerSource,
  type AnswerValue,
  modelOutputType,
  readValue,
  stringOf,
  valueSql,
} from '../results/answer-values.ts';
import type { ResultColumns } from '../results/result-columns.ts';

/**
 * What one line of a job's output says: the values of `ResultColumns.answers` by their keys, none where it is an error.
 * Said as SQL, for millions of lines, and for JavaScript, which reads the lines that DuckDB refuses; both decide alike.
 */
export type OutputLine = {
  record_id: string;
  error_code: string | null;
  error_message: string | null;
} & Record<string, AnswerValue>;

/** Error code of a record whose output is not of its model family's shape. */
export const UNEXPECTED_MODEL_OUTPUT = 'UnexpectedModelOutput';
/** A status that was written as a fraction: `400.0` is 400. */
const WHOLE_NUMBER = '^([0-9]{3})\\.0+$';
/** Error code of an error line that gives none. */
const UNKNOWN_ERROR = 'UnknownError';

/**
 * Longest line that DuckDB reads; its buffers have twice as many bytes for each thread. It refuses a file with a
 * longer one, which is then read line by line.
 */
const MAX_LINE_BYTES = 4 * 1024 ** 2;

/** Some models put their error where their answer should be; all that is read of it. */
const ERROR_WITHIN: readonly AnswerSource[] = [
  { kind: 'text', at: ['errorCode'] },
  { kind: 'text', at: ['errorMessage'] },
];

/** SQL for what the lines of a job's output file say, in the order of the lines. */
export function outputLinesSql(path: string, { answer, answers, unexpected }: ResultColumns): string {
  const type = modelOutputType([...answers.map(({ source }) => source), ...ERROR_WITHIN]);
  const lines = readJsonSql(path, [
    ['recordId', 'JSON'],
    ['error', 'JSON'],
    ['modelOutput', type],
  ]);
  const details = answers
    .filter((column) => column !== answer)
    .map(({ key, source }) => `CASE WHEN ${answer.key} IS NOT NULL THEN ${valueSql(source)} END AS ${key}`);
  const within = 'modelOutput.errorCode IS NOT NULL OR modelOutput.errorMessage IS NOT NULL';
  return `SELECT
    ${stringOf('recordId')} AS record_id,
    ${[answer.key, ...details].join(',\n    ')},
    CASE
      WHEN fault IS NOT NULL THEN regexp_replace(coalesce(fault ->> '$.errorCode', ${sqlText(UNKNOWN_ERROR)}), ${sqlText(WHOLE_NUMBER)}, '\\1')
      WHEN ${answer.key} IS NULL THEN ${sqlText(UNEXPECTED_MODEL_OUTPUT)}
    END AS error_code,
    CASE
      WHEN fault IS NOT NULL THEN coalesce(fault ->> '$.errorMessage', fault ->> '$')
      WHEN ${answer.key} IS NULL THEN ${sqlText(unexpected)}
    END AS error_message
  FROM (
    SELECT *, CASE
        WHEN error IS NOT NULL THEN error
        WHEN ${answer.key} IS NULL AND (${within}) THEN json_object('errorCode', modelOutput.errorCode, 'errorMessage', modelOutput.errorMessage)
      END AS fault
    FROM (SELECT *, CASE WHEN error IS NULL THEN ${valueSql(answer.source)} END AS ${answer.key} FROM ${lines})
  )`;
}

/** What a line says; undefined where it says nothing of a record. */
export function readOutputLine(line: string, columns: ResultColumns): OutputLine | undefined {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isJsonObject(record) || typeof record.recordId !== 'string') return undefined;
  const { recordId, modelOutput } = record;
  const record_id = recordId.toWellFormed();
  const error = record.error ?? undefined;
  const isAnswer = error === undefined && readValue(columns.answer.source, modelOutput) !== null;
  const fault = error ?? (isAnswer ? undefined : errorWithin(modelOutput));
  if (fault !== undefined) {
    const code = textOf(isJsonObject(fault) ? fault.errorCode : undefined) ?? UNKNOWN_ERROR;
    return {
      record_id,
      error_code: code.replace(new RegExp(WHOLE_NUMBER), '$1'),
      error_message: textOf(isJsonObject(fault) ? (fault.errorMessage ?? fault) : fault) ?? '',
    };
  }
  if (!isAnswer) {
    const error_message = `${columns.unexpected} ${beginningOf(modelOutput)}`;
    return { record_id, error_code: UNEXPECTED_MODEL_OUTPUT, error_message };
  }
  const values = columns.answers.map(({ key, source }) => [key, readValue(source, modelOutput)]);
  return { record_id, error_code: null, error_message: null, ...Object.fromEntries(values) };
}

/** The error that stands in an answer's place, as `error` would have it. */
function errorWithin(modelOutput: unknown): Record<string, unknown> | undefined {
  if (!isJsonObject(modelOutput)) return undefined;
  const { errorCode = null, errorMessage = null } = modelOutput;
  return errorCode === null && errorMessage === null ? undefined : { errorCode, errorMessage };
}

/** Characters of an unknown output that its row's message quotes. */
const QUOTED_LENGTH = 200;
/** Control characters, and those that turn the writing direction: as JSON escapes them, and as it does not. */
const NOT_PRINTED = /\\u00[01][0-9a-f]|\\[bfnrt]|[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** What an output of an unknown shape is, or how it begins; safe to print. */
function beginningOf(modelOutput: unknown): string {
  if (modelOutput === undefined) return 'There is none.';
  const text = JSON.stringify(modelOutput).replace(NOT_PRINTED, ' ');
  const quoted = text.slice(0, QUOTED_LENGTH).toWellFormed();
  return quoted.length < text.length ? `It begins: ${quoted}…` : `It is: ${quoted}`;
}

/** SQL for what `rewriteOutput` wrote, whose longest line is known. */
export function rewrittenLinesSql(path: string, columns: ResultColumns, longestBytes: number): string {
  return `SELECT * FROM ${readJsonSql(path, lineTypes(columns), longestBytes)}`;
}

/** SQL for no lines at all, with the names and types that lines have, the properties of typed answers included. */
export function noLinesSql(columns: ResultColumns): string {
  const properties = columns.properties.map(({ key, type }): [string, string] => [key, type]);
  const nulls = [...lineTypes(columns), ...properties].map(
    ([name, type]) => `CAST(NULL AS ${type}) AS ${name}`,
  );
  return `SELECT ${nulls.join(', ')} WHERE false`;
}

function lineTypes({ answers }: ResultColumns): [name: string, type: string][] {
  return [
    ['record_id', 'VARCHAR'],
    ...answers.map(({ key, type }): [string, string] => [key, type]),
    ['error_code', 'VARCHAR'],
    ['error_message', 'VARCHAR'],
  ];
}

/** SQL for a file of JSON lines with these columns; with the bytes of its longest line, where they are known. */
export function readJsonSql(path: string, columns: [name: string, type: string][], longestBytes = 0): string {
  const types = columns.map(([name, type]) => `${name}: ${sqlText(type)}`).join(', ');
  return `read_json(${sqlPath(path)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${Math.max(MAX_LINE_BYTES, longestBytes + 1)})`;
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}
