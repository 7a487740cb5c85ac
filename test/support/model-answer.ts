import type { OutputShape } from '../../src/models/output-shape.ts';
import { readOutputLine } from '../../src/rows/collect/output-line.ts';
import { columnsOf } from './rows.ts';

/** One answer, in the same words for every family. */
export interface ModelAnswer {
  /** Null in an answer of another kind. */
  text: unknown;
  embedding: unknown;
  stopReason: unknown;
  inputTokens: unknown;
  outputTokens: unknown;
}

/** The answer in a model's output, as Collect reads it line by line; undefined where the output is not of the shape. */
export function readModelOutput(shape: OutputShape, modelOutput: unknown): ModelAnswer | undefined {
  const line = readOutputLine(JSON.stringify({ recordId: 'r', modelOutput }), columnsOf({ shape }));
  if (line?.error_code !== null) return undefined;
  const { answer = null, stop_reason, input_tokens, output_tokens } = line;
  return {
    text: shape.kind === 'text' ? answer : null,
    embedding: shape.kind === 'embedding' ? answer : null,
    stopReason: stop_reason,
    inputTokens: input_tokens,
    outputTokens: output_tokens,
  };
}
