import type { JsonSchema } from '../../core/run-input/output-schema.ts';
import { withoutUndefined } from '../../core/text/json-value.ts';
import { CONVERSE_OUTPUT, inferenceConfigOf, toBlockMessage } from '../converse-message.ts';
import { CONVERSE_MEDIA } from '../media.ts';
import type { ThinkingForm } from '../thinking.ts';
import { type ModelAdapter, SCHEMA_NAME } from './model-adapter.ts';

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
  media: CONVERSE_MEDIA,
  matches: ({ output }) => output === 'text',
  turn: toBlockMessage,
  schemaField: ['outputConfig'],
  toModelInput: (prompt, { systemPrompt, parameters, turns = [], thinking, schema, media }) =>
    withoutUndefined({
      messages: [...turns, { role: 'user', text: prompt, media } as const].map(toBlockMessage),
      system: systemPrompt === undefined ? undefined : [{ text: systemPrompt }],
      inferenceConfig: isUnbounded(thinking)
        ? withoutUndefined({ stopSequences: parameters.stop_sequences })
        : inferenceConfigOf(parameters),
      additionalModelRequestFields:
        thinking?.kind === 'reasoning-config'
          ? { reasoningConfig: { type: 'enabled', maxReasoningEffort: thinking.effort } }
          : undefined,
      outputConfig: schema && outputConfigOf(schema),
    }),
  output: CONVERSE_OUTPUT,
};

/** https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
function outputConfigOf(schema: JsonSchema): Record<string, unknown> {
  const jsonSchema = { name: SCHEMA_NAME, schema: JSON.stringify(schema) };
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
}

/**
 * Nova takes no bound where it thinks its most.
 * https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
 */
function isUnbounded(thinking: ThinkingForm | undefined): boolean {
  return thinking?.kind === 'reasoning-config' && thinking.effort === 'high';
}
