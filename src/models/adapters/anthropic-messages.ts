import { withoutUndefined } from '../../core/text/json-value.ts';
import { DEFAULT_MAX_TOKENS, type ModelAdapter } from './model-adapter.ts';

/**
 * Anthropic Claude, Messages API.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
 */
export const anthropicMessages: ModelAdapter = {
  family: 'Anthropic Claude',
  example: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  invocationType: 'InvokeModel',
  parameters: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  systemPrompt: true,
  matches: ({ body }) => body === 'claude-messages',
  toModelInput: (prompt, { systemPrompt, parameters }) =>
    withoutUndefined({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: parameters.max_tokens ?? DEFAULT_MAX_TOKENS,
      system: systemPrompt,
      temperature: parameters.temperature,
      top_p: parameters.top_p,
      top_k: parameters.top_k,
      stop_sequences: parameters.stop_sequences,
      messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    }),
  output: {
    kind: 'text',
    blocks: ['content'],
    text: ['text'],
    only: { key: 'type', equals: 'text' },
    stopReason: ['stop_reason'],
    inputTokens: ['usage', 'input_tokens'],
    outputTokens: ['usage', 'output_tokens'],
  },
};
