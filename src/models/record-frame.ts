import type { PromptPiece } from '../prompts/prompt-template.ts';
import type { ModelAdapter, ModelRequest } from './adapters/model-adapter.ts';

/**
 * How a row becomes a record, said once for all rows: the pieces of its prompt, and the JSON text of the
 * `modelInput` before and after the prompt, which stands between them as a JSON string.
 */
export interface RecordFrame {
  prompt: PromptPiece[];
  before: string;
  after: string;
}

/** The frame of a run's records: the model's body, with a place for the prompt. */
export function recordFrameOf(
  adapter: ModelAdapter,
  request: ModelRequest,
  prompt: PromptPiece[],
): RecordFrame {
  const body = (text: string) => JSON.stringify(adapter.toModelInput(text, request));
  // Whatever the user's own texts are, a marker longer than the whole body is in none of them.
  const marker = '#'.repeat(body('').length + 1);
  const [before, after, ...rest] = body(marker).split(JSON.stringify(marker));
  if (before === undefined || after === undefined || rest.length > 0) {
    throw new Error(`The adapter of ${adapter.family} must put the prompt into the body once, as it is.`);
  }
  return { prompt, before, after };
}
