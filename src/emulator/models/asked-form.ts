import type { JsonSchema } from '../../core/run-input/output-schema.ts';
import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import type { ModelTraits, Refusal } from './model-family.ts';
import { refuse } from './model-family.ts';

/** What a body asks of the form of its answer. */
export interface AskedForm {
  /** What the answer is held to; undefined where nothing holds it. */
  schema: JsonSchema | undefined;
  /** True where the model thinks before it answers. */
  thinks: boolean;
}

/** Fewest tokens that Claude thinks with: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
const LEAST_BUDGET = 1024;
const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'];

/** `thinking` and `output_config` of Claude's Messages API. */
export function readClaudeForm(body: JsonObject, model: ModelTraits): AskedForm | Refusal {
  const { thinking, output_config: config = {}, max_tokens, temperature = 1 } = body;
  const thinks = readThinking(thinking, model, Number(max_tokens));
  if (typeof thinks !== 'boolean') return thinks;
  if (thinks && temperature !== 1) {
    return refuse('`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.');
  }
  if (!isJsonObject(config)) return refuse('output_config: Input should be a valid dictionary');
  const { effort, format, ...others } = config;
  const [extra] = Object.keys(others);
  if (extra !== undefined) return refuse(`output_config.${extra}: Extra inputs are not permitted`);
  if (effort !== undefined && !EFFORTS.includes(String(effort))) {
    return refuse(`output_config.effort: Input should be ${EFFORTS.map((name) => `'${name}'`).join(', ')}`);
  }
  if (effort !== undefined && !model.thinking.startsWith('adaptive')) {
    return refuse('output_config.effort: This model does not support the effort parameter.');
  }
  if (format === undefined) return { schema: undefined, thinks };
  const { type, schema } = isJsonObject(format) ? format : {};
  if (type !== 'json_schema') return refuse("output_config.format.type: Input should be 'json_schema'");
  return heldTo(schema, 'output_config.format', { model, thinks });
}

function readThinking(thinking: unknown, model: ModelTraits, maxTokens: number): boolean | Refusal {
  const kind = model.thinking;
  if (thinking === undefined) return kind === 'adaptive-by-default' || kind === 'always';
  const { type, budget_tokens: budget } = isJsonObject(thinking) ? thinking : {};
  switch (type) {
    case 'disabled':
      return kind === 'always' ? refuse('thinking.type: This model always thinks.') : false;
    case 'adaptive':
      return kind.startsWith('adaptive') || refuse('adaptive thinking is not supported on this model');
    case 'enabled':
      if (kind !== 'budget' && kind !== 'adaptive') {
        return refuse('"thinking.type.enabled" is not supported for this model.');
      }
      if (typeof budget !== 'number') return refuse('thinking.enabled.budget_tokens: Field required');
      if (budget < LEAST_BUDGET) {
        return refuse(
          `thinking.enabled.budget_tokens: Input should be greater than or equal to ${LEAST_BUDGET}`,
        );
      }
      return budget < maxTokens || refuse('`max_tokens` must be greater than `thinking.budget_tokens`.');
    default:
      return refuse("thinking.type: Input should be 'adaptive', 'disabled' or 'enabled'");
  }
}

/** `outputConfig` and `additionalModelRequestFields` of Converse. */
export function readConverseForm(body: JsonObject, model: ModelTraits): AskedForm | Refusal {
  const fields = isJsonObject(body.additionalModelRequestFields) ? body.additionalModelRequestFields : {};
  const thinks = readReasoningConfig(fields.reasoningConfig, body, model);
  if (typeof thinks !== 'boolean') return thinks;
  const config = body.outputConfig ?? undefined;
  if (config === undefined) return { schema: undefined, thinks };
  const { textFormat } = isJsonObject(config) ? config : {};
  const { type, structure } = isJsonObject(textFormat) ? textFormat : {};
  const { jsonSchema } = isJsonObject(structure) ? structure : {};
  const text = isJsonObject(jsonSchema) ? jsonSchema.schema : undefined;
  if (type !== 'json_schema' || typeof text !== 'string') {
    return refuse(
      'outputConfig.textFormat: expected type json_schema with structure.jsonSchema.schema as a string',
    );
  }
  try {
    return heldTo(JSON.parse(text), 'outputConfig.textFormat', { model, thinks });
  } catch {
    return refuse('outputConfig.textFormat.structure.jsonSchema.schema: not valid JSON');
  }
}

/** Nova's: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function readReasoningConfig(config: unknown, body: JsonObject, model: ModelTraits): boolean | Refusal {
  if (config === undefined) return model.thinking === 'always' || model.thinking === 'reasoning-effort';
  if (model.thinking !== 'reasoning-config') {
    return refuse(`Malformed input request: #: extraneous key [reasoningConfig] is not permitted`);
  }
  const { type, maxReasoningEffort: effort } = isJsonObject(config) ? config : {};
  if (type === 'disabled') return false;
  if (type !== 'enabled' || !['low', 'medium', 'high'].includes(String(effort))) {
    return refuse('Malformed input request: #/reasoningConfig: expected enabled and low, medium or high');
  }
  const given = isJsonObject(body.inferenceConfig) ? body.inferenceConfig : {};
  const unwanted = ['maxTokens', 'temperature', 'topP'].find((key) => given[key] !== undefined);
  return effort === 'high' && unwanted !== undefined
    ? refuse(`${unwanted} must be unset when maxReasoningEffort is high.`)
    : true;
}

/** `response_format` and `reasoning_effort` of chat completions. */
export function readChatForm(body: JsonObject, model: ModelTraits): AskedForm | Refusal {
  const { response_format: format, reasoning_effort: effort } = body;
  const thinks = model.thinking === 'always' || model.thinking === 'reasoning-effort';
  if (effort !== undefined && !['low', 'medium', 'high'].includes(String(effort))) {
    return refuse("reasoning_effort: Input should be 'low', 'medium' or 'high'");
  }
  if (format === undefined) return { schema: undefined, thinks };
  const { type, json_schema } = isJsonObject(format) ? format : {};
  if (type !== 'json_schema') return { schema: undefined, thinks };
  return heldTo(isJsonObject(json_schema) ? json_schema.schema : undefined, 'response_format', {
    model,
    thinks,
  });
}

function heldTo(
  schema: unknown,
  place: string,
  { model, thinks }: { model: ModelTraits; thinks: boolean },
): AskedForm | Refusal {
  if (!model.structuredOutput) return refuse(`${place}: Structured output is not supported by this model.`);
  if (!isJsonObject(schema)) return refuse(`${place}.schema: Field required`);
  const unsupported = unsupportedIn(schema);
  if (unsupported !== undefined) return refuse(`${place}.schema: ${unsupported}`);
  return { schema, thinks };
}

/** Keywords that the service refuses: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
const UNSUPPORTED = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
];

/** What a schema has that the service refuses; undefined where it takes it. */
function unsupportedIn(schema: JsonObject): string | undefined {
  const keyword = UNSUPPORTED.find((name) => name in schema);
  if (keyword !== undefined) return `For '${schema.type}' type, property '${keyword}' is not supported`;
  if (schema.type === 'object' && schema.additionalProperties !== false) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  const { properties, items, anyOf } = schema;
  const inner = [
    ...(isJsonObject(properties) ? Object.values(properties) : []),
    ...(Array.isArray(anyOf) ? anyOf : []),
    items,
  ];
  for (const part of inner) {
    const found = isJsonObject(part) ? unsupportedIn(part) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
