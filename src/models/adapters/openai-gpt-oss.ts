import { withoutUndefined } from '../../core/text/json-value.ts';
import {
  type ConversationTurn,
  DEFAULT_MAX_TOKENS,
  type ModelAdapter,
  SCHEMA_NAME,
} from './model-adapter.ts';

/**
 * OpenAI's open-weight models, chat completions. What they think stands before the answer, in tags, and counts towards
 * `max_tokens`. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
 */
export const openaiGptOss: ModelAdapter = {
  family: 'OpenAI gpt-oss',
  example: 'openai.gpt-oss-20b-1:0',
  invocationType: 'InvokeModel',
  parameters: ['max_tokens', 'temperature', 'top_p', 'stop_sequences'],
  systemPrompt: true,
  matches: ({ id }) => id.startsWith('openai.gpt-oss'),
  turn: toMessage,
  schemaField: ['response_format'],
  toModelInput: (prompt, { systemPrompt, parameters, turns = [], thinking, schema }) =>
    withoutUndefined({
      messages: [
        ...(systemPrompt === undefined ? [] : [{ role: 'system', content: systemPrompt }]),
        ...[...turns, { role: 'user', text: prompt } as const].map(toMessage),
      ],
      max_completion_tokens: parameters.max_tokens ?? DEFAULT_MAX_TOKENS,
      temperature: parameters.temperature,
      top_p: parameters.top_p,
      stop: parameters.stop_sequences,
      reasoning_effort: thinking?.kind === 'reasoning-effort' ? thinking.effort : undefined,
      response_format: schema && { type: 'json_schema', json_schema: { name: SCHEMA_NAME, schema } },
    }),
  output: {
    kind: 'text',
    blocks: ['choices'],
    text: ['message', 'content'],
    thoughts: { begin: '<reasoning>', end: '</reasoning>' },
    stopReason: ['choices', 0, 'finish_reason'],
    inputTokens: ['usage', 'prompt_tokens'],
    outputTokens: ['usage', 'completion_tokens'],
  },
};

function toMessage({ role, text }: ConversationTurn): Record<string, unknown> {
  return { role, content: text };
}
