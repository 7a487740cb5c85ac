import { createReadStream } from 'node:fs';
import { linesOf } from '../../core/lines.ts';
import { type OutputShape, readModelOutput } from '../../models/output-shape.ts';
import { openLineWriter } from '../sources/line-writer.ts';
import { UNEXPECTED_MODEL_OUTPUT, UNKNOWN_ERROR, unexpectedMessage } from './answers.ts';

/** What one line of a job's output says; lists and numbers as JSON. */
interface OutputAnswer {
  record_id: string;
  answer: string | number[] | null;
  stop_reason: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  error_code: string | null;
  error_message: string | null;
}

const READ_BYTES = 1 << 20;

/**
 * Reads a job's output line by line, as DuckDB refuses a whole file for one bad line, and writes what it says in
 * a form that DuckDB always takes. Lone surrogates become U+FFFD. Gives the number of lines that say nothing, and
 * the bytes of the longest line written.
 */
export async function rewriteOutput(
  from: string,
  to: string,
  shape: OutputShape,
): Promise<{ unreadable: number; longestBytes: number }> {
  await using writer = openLineWriter(to);
  let unreadable = 0;
  let isFirst = true;
  for await (const bytes of linesOf(createReadStream(from, { highWaterMark: READ_BYTES }))) {
    const line = isFirst ? bytes.toString().replace(/^\ufeff/, '') : bytes.toString();
    isFirst = false;
    if (line.trim() === '') continue;
    const answer = readLine(line, shape);
    if (answer === undefined) unreadable += 1;
    else await writer.write(answer);
  }
  return { unreadable, ...(await writer.end()) };
}

function readLine(line: string, shape: OutputShape): OutputAnswer | undefined {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(record) || typeof record.recordId !== 'string') return undefined;
  const { recordId, error, modelOutput } = record;
  const blank = { stop_reason: null, input_tokens: null, output_tokens: null };
  const record_id = recordId.toWellFormed();
  if (error !== undefined && error !== null) {
    return {
      record_id,
      answer: null,
      ...blank,
      error_code: textOf(isObject(error) ? error.errorCode : undefined) ?? UNKNOWN_ERROR,
      error_message: textOf(isObject(error) ? (error.errorMessage ?? error) : error) ?? '',
    };
  }
  const read = readModelOutput(shape, modelOutput);
  if (read === undefined || read.embedding?.some(isTooLargeForFloat)) {
    return {
      record_id,
      answer: null,
      ...blank,
      error_code: UNEXPECTED_MODEL_OUTPUT,
      error_message: unexpectedMessage(shape),
    };
  }
  return {
    record_id,
    answer: shape.kind === 'text' ? (read.text?.toWellFormed() ?? null) : read.embedding,
    stop_reason: read.stopReason?.toWellFormed() ?? null,
    input_tokens: countOf(read.inputTokens),
    output_tokens: countOf(read.outputTokens),
    error_code: null,
    error_message: null,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return (typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed();
}

function isTooLargeForFloat(value: number): boolean {
  return !Number.isFinite(Math.fround(value));
}

function countOf(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
