import { sqlText } from '../duckdb/duckdb.ts';
import {
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
const UNEXPECTED_MODEL_OUTPUT = 'UnexpectedModelOutput';
/** Error code of an error line that gives none. */
const UNKNOWN_ERROR = 'UnknownError';

/**
 * Longest line that DuckDB reads; its buffers have twice as many bytes for each thread. It refuses a file with a
 * longer one, which is then read line by line.
 */
const MAX_LINE_BYTES = 4 * 1024 ** 2;

/** SQL for what the lines of a job's output file say, in the order of the lines. */
export function outputLinesSql(path: string, { answer, answers, unexpected }: ResultColumns): string {
  const type = modelOutputType(answers.map(({ source }) => source));
  const lines = readJsonSql(path, [
    ['recordId', 'JSON'],
    ['error', 'JSON'],
    ['modelOutput', type],
  ]);
  const details = answers
    .filter((column) => column !== answer)
    .map(({ key, source }) => `CASE WHEN ${answer.key} IS NOT NULL THEN ${valueSql(source)} END AS ${key}`);
  return `SELECT
    ${stringOf('recordId')} AS record_id,
    ${[answer.key, ...details].join(',\n    ')},
    CASE
      WHEN error IS NOT NULL THEN coalesce(error ->> '$.errorCode', ${sqlText(UNKNOWN_ERROR)})
      WHEN ${answer.key} IS NULL THEN ${sqlText(UNEXPECTED_MODEL_OUTPUT)}
    END AS error_code,
    CASE
      WHEN error IS NOT NULL THEN coalesce(error ->> '$.errorMessage', error ->> '$')
      WHEN ${answer.key} IS NULL THEN ${sqlText(unexpected)}
    END AS error_message
  FROM (SELECT *, CASE WHEN error IS NULL THEN ${valueSql(answer.source)} END AS ${answer.key} FROM ${lines})`;
}

/** What a line says; undefined where it says nothing of a record. */
export function readOutputLine(line: string, columns: ResultColumns): OutputLine | undefined {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(record) || typeof record.recordId !== 'string') return undefined;
  const { recordId, error, modelOutput } = record;
  const record_id = recordId.toWellFormed();
  if (error !== undefined && error !== null) {
    return {
      record_id,
      error_code: textOf(isObject(error) ? error.errorCode : undefined) ?? UNKNOWN_ERROR,
      error_message: textOf(isObject(error) ? (error.errorMessage ?? error) : error) ?? '',
    };
  }
  if (readValue(columns.answer.source, modelOutput) === null) {
    return { record_id, error_code: UNEXPECTED_MODEL_OUTPUT, error_message: columns.unexpected };
  }
  const values = columns.answers.map(({ key, source }) => [key, readValue(source, modelOutput)]);
  return { record_id, error_code: null, error_message: null, ...Object.fromEntries(values) };
}

/** SQL for what `rewriteOutput` wrote, whose longest line is known. */
export function rewrittenLinesSql(path: string, columns: ResultColumns, longestBytes: number): string {
  return `SELECT * FROM ${readJsonSql(path, lineTypes(columns), longestBytes)}`;
}

/** SQL for no lines at all, with the names and types that lines have. */
export function noLinesSql(columns: ResultColumns): string {
  const nulls = lineTypes(columns).map(([name, type]) => `CAST(NULL AS ${type}) AS ${name}`);
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

function readJsonSql(path: string, columns: [name: string, type: string][], longestBytes = 0): string {
  const types = columns.map(([name, type]) => `${name}: ${sqlText(type)}`).join(', ');
  return `read_json(${sqlText(path)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${Math.max(MAX_LINE_BYTES, longestBytes + 1)})`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}
