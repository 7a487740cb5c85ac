import { withoutUndefined } from '../../core/text/json-value.ts';
import { CONVERSE_OUTPUT, inferenceConfigOf } from '../converse-message.ts';
import type { ModelAdapter } from './model-adapter.ts';

/**
 * Any other text model, through the Converse request body.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */
export const converse: ModelAdapter = {
  family: 'any other text model (Converse)',
  example: 'us.meta.llama3-3-70b-instruct-v1:0',
  invocationType: 'Converse',
  parameters: ['max_tokens', 'temperature', 'top_p', 'stop_sequences'],
  systemPrompt: true,
  matches: ({ output }) => output === 'text',
  toModelInput: (prompt, { systemPrompt, parameters }) =>
    withoutUndefined({
      messages: [{ role: 'user', content: [{ text: prompt }] }],
      system: systemPrompt === undefined ? undefined : [{ text: systemPrompt }],
      inferenceConfig: inferenceConfigOf(parameters),
    }),
  output: CONVERSE_OUTPUT,
};
