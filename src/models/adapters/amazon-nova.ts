import { withoutUndefined } from '../../core/text/json-value.ts';
import { CONVERSE_OUTPUT, inferenceConfigOf, toBlockMessage } from '../converse-message.ts';
import { IMAGE_FORMATS, MAX_REQUEST_BYTES, MEDIA_READ_ON } from '../media.ts';
import type { ModelAdapter } from './model-adapter.ts';

/**
 * Amazon Nova understanding models, `messages-v1`.
 * https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html
 */
export const amazonNova: ModelAdapter = {
  family: 'Amazon Nova',
  example: 'us.amazon.nova-lite-v1:0',
  invocationType: 'InvokeModel',
  parameters: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  systemPrompt: true,
  media: {
    image: { formats: IMAGE_FORMATS, maxSide: 8_000 },
    maxRequestBytes: MAX_REQUEST_BYTES,
    source: 'https://docs.aws.amazon.com/nova/latest/userguide/modalities-image.html',
    date: MEDIA_READ_ON,
  },
  matches: ({ body }) => body === 'nova-messages',
  turn: toBlockMessage,
  toModelInput: (prompt, { systemPrompt, parameters, turns = [], media }) =>
    withoutUndefined({
      schemaVersion: 'messages-v1',
      system: systemPrompt === undefined ? undefined : [{ text: systemPrompt }],
      messages: [...turns, { role: 'user', text: prompt, media } as const].map(toBlockMessage),
      inferenceConfig: inferenceConfigOf(parameters),
    }),
  output: CONVERSE_OUTPUT,
};
