import type { PromptPiece } from '../prompts/prompt-template.ts';

/**
 * How a row becomes a record, said once for all rows: the pieces of its prompt, and the JSON text of the
 * `modelInput` before and after the prompt, which stands between them as a JSON string.
 */
export interface RecordFrame {
  prompt: PromptPiece[];
  before: string;
  after: string;
}
