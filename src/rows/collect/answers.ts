import type { OutputShape } from '../../models/output-shape.ts';
import { sqlText } from '../duckdb/duckdb.ts';
import { outputShapeSql, stringOf } from './output-shape-sql.ts';

/** Error code of a record whose output is not of its model family's shape. */
export const UNEXPECTED_MODEL_OUTPUT = 'UnexpectedModelOutput';
/** Error code of an error line that gives none. */
export const UNKNOWN_ERROR = 'UnknownError';

/**
 * Longest line that DuckDB reads; its buffers have twice as many bytes for each thread. It refuses a file with a
 * longer one, which is then read line by line.
 */
const MAX_LINE_BYTES = 4 * 1024 ** 2;

/** What to say of an output that is not of the shape. */
export function unexpectedMessage(shape: OutputShape): string {
  return shape.kind === 'text'
    ? `The model's output has no list of content blocks at ${shape.blocks.join('.')}.`
    : `The model's output has no list of numbers at ${shape.embedding.join('.')}.`;
}

/** SQL for what the lines of a job's output file say, in the order of the lines. */
export function answersOfOutputSql(path: string, shape: OutputShape): string {
  const { modelOutputType, answer, stopReason, inputTokens, outputTokens } = outputShapeSql(shape);
  const lines = readJsonSql(
    path,
    `recordId: 'JSON', error: 'JSON', modelOutput: ${sqlText(modelOutputType)}`,
  );
  const onlyAnswers = (sql: string) => `CASE WHEN answer IS NOT NULL THEN ${sql} END`;
  return `SELECT
    ${stringOf('recordId')} AS record_id,
    answer,
    ${onlyAnswers(stopReason)} AS stop_reason,
    ${onlyAnswers(inputTokens)} AS input_tokens,
    ${onlyAnswers(outputTokens)} AS output_tokens,
    CASE
      WHEN error IS NOT NULL THEN coalesce(error ->> '$.errorCode', ${sqlText(UNKNOWN_ERROR)})
      WHEN answer IS NULL THEN ${sqlText(UNEXPECTED_MODEL_OUTPUT)}
    END AS error_code,
    CASE
      WHEN error IS NOT NULL THEN coalesce(error ->> '$.errorMessage', error ->> '$')
      WHEN answer IS NULL THEN ${sqlText(unexpectedMessage(shape))}
    END AS error_message
  FROM (SELECT *, CASE WHEN error IS NULL THEN ${answer} END AS answer FROM ${lines})`;
}

/** SQL for what `rewriteOutput` wrote, whose longest line is known. */
export function answersOfRewrittenSql(path: string, shape: OutputShape, longestBytes: number): string {
  const { answerType } = outputShapeSql(shape);
  return `SELECT * FROM ${readJsonSql(
    path,
    `record_id: 'VARCHAR', answer: '${answerType}', stop_reason: 'VARCHAR', input_tokens: 'BIGINT', output_tokens: 'BIGINT', error_code: 'VARCHAR', error_message: 'VARCHAR'`,
    longestBytes,
  )}`;
}

function readJsonSql(path: string, columns: string, longestBytes = 0): string {
  return `read_json(${sqlText(path)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${columns}}, maximum_object_size = ${Math.max(MAX_LINE_BYTES, longestBytes + 1)})`;
}
