import { withoutUndefined } from '../../core/text/json-value.ts';
import { DEFAULT_MAX_TOKENS, type ModelAdapter } from './model-adapter.ts';

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
  toModelInput: (prompt, { systemPrompt, parameters }) =>
    withoutUndefined({
      messages: [
        ...(systemPrompt === undefined ? [] : [{ role: 'system', content: systemPrompt }]),
        { role: 'user', content: prompt },
      ],
      max_completion_tokens: parameters.max_tokens ?? DEFAULT_MAX_TOKENS,
      temperature: parameters.temperature,
      top_p: parameters.top_p,
      stop: parameters.stop_sequences,
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
