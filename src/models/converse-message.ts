import { withoutUndefined } from '../core/text/json-value.ts';
import {
  type ConversationTurn,
  DEFAULT_MAX_TOKENS,
  type InferenceParameters,
} from './adapters/model-adapter.ts';
import type { MediaBlock } from './media.ts';
import type { TextOutputShape } from './output-shape.ts';

/** Where Converse, and Amazon Nova as well, has the answer. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const CONVERSE_OUTPUT: TextOutputShape = {
  kind: 'text',
  blocks: ['output', 'message', 'content'],
  text: ['text'],
  stopReason: ['stopReason'],
  inputTokens: ['usage', 'inputTokens'],
  outputTokens: ['usage', 'outputTokens'],
};

/** A turn of the conversation, in both. */
export function toBlockMessage({ role, text, media = [] }: ConversationTurn): Record<string, unknown> {
  return { role, content: [...media.map(toBlock), { text }] };
}

/** Names of documents must be neutral, as the model reads them. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html */
function toBlock({ kind, format, base64 }: MediaBlock, index: number): Record<string, unknown> {
  const source = { bytes: base64 };
  return kind === 'image'
    ? { image: { format, source } }
    : { document: { format, name: `document ${index + 1}`, source } };
}

/** The `inferenceConfig` of both; `topK` is Nova's alone. */
export function inferenceConfigOf(parameters: InferenceParameters): Record<string, unknown> {
  return withoutUndefined({
    maxTokens: parameters.max_tokens ?? DEFAULT_MAX_TOKENS,
    temperature: parameters.temperature,
    topP: parameters.top_p,
    topK: parameters.top_k,
    stopSequences: parameters.stop_sequences,
  });
}
