import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import {
  type ChatMessage,
  extraKeyOf,
  isBlank,
  lastUserContent,
  type ModelFamily,
  type ModelTraits,
  malformed,
  numberOr,
  type Refusal,
  refuse,
  stringsOf,
  type TextRequest,
} from './model-family.ts';
import {
  blockFaultText,
  MESSAGE_LIMITS,
  type MediaFault,
  type MediaLimits,
  readMediaBlock,
  type ShownMedia,
  tooMany,
} from './shown-media.ts';

const FIELDS = new Set(['schemaVersion', 'system', 'messages', 'inferenceConfig', 'toolConfig']);
const INFERENCE_FIELDS = new Set(
  'maxTokens max_new_tokens temperature topP top_p topK top_k stopSequences reasoningConfig'.split(' '),
);
const STOP_REASONS = { end: 'end_turn', length: 'max_tokens', 'stop-sequence': 'stop_sequence' } as const;

/** Bodies of Amazon Nova, schema messages-v1. https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html */
export const novaMessages: ModelFamily = {
  readRequest: (body, model) => {
    const extra = extraKeyOf(body, FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    if (body.schemaVersion !== undefined && body.schemaVersion !== 'messages-v1') {
      return malformed(`#/schemaVersion: ${body.schemaVersion} is not a valid enum value`);
    }
    const messages = readBlockMessages(body, model, malformed);
    return Array.isArray(messages) ? withInferenceConfig(messages, body.inferenceConfig, model) : messages;
  },
  writeAnswer: (answer) => {
    if (answer.kind === 'embedding') return {};
    return {
      output: { message: { content: [{ text: answer.text }], role: 'assistant' } },
      stopReason: STOP_REASONS[answer.stop],
      usage: {
        inputTokens: answer.inputTokens,
        outputTokens: answer.outputTokens,
        totalTokens: answer.inputTokens + answer.outputTokens,
        cacheReadInputTokenCount: 0,
        cacheWriteInputTokenCount: 0,
      },
    };
  },
};

/** The messages of a body whose content is a list of blocks with one member each: Nova's and Converse's. */
export function readBlockMessages(
  body: JsonObject,
  model: ModelTraits,
  refuseMedia: (text: string) => Refusal,
): ChatMessage[] | Refusal {
  const value = body.messages;
  if (value === undefined) return malformed('#: required key [messages] not found');
  if (!Array.isArray(value))
    return malformed(`#/messages: expected type: JSONArray, found: ${typeName(value)}`);
  if (value.length === 0) return malformed('#/messages: expected minimum item count: 1, found: 0');
  const messages: ChatMessage[] = [];
  if (body.system !== undefined) {
    const content = blocksText(body.system, '#/system');
    if (typeof content !== 'string') return content;
    messages.push({ role: 'system', content });
  }
  for (const [index, message] of value.entries()) {
    const path = `#/messages/${index}`;
    if (!isJsonObject(message))
      return malformed(`${path}: expected type: JSONObject, found: ${typeName(message)}`);
    const { role } = message;
    if (role === undefined) return malformed(`${path}: required key [role] not found`);
    if (role !== 'user' && role !== 'assistant')
      return malformed(`${path}/role: ${role} is not a valid enum value`);
    if (message.content === undefined) return malformed(`${path}: required key [content] not found`);
    const content = blocksText(message.content, `${path}/content`);
    if (typeof content !== 'string') return content;
    const blank = blankBlockOf(message.content);
    if (blank !== undefined) return refuse(blankText(`messages.${index}.content.${blank}`));
    const media = mediaOf(message.content as JsonObject[], model);
    if ('fault' in media) return refuseMedia(blockFaultText(media));
    messages.push({ role, content, ...(media.length === 0 ? {} : { media }) });
  }
  return messages;
}

/** Of Nova's PDFs the payload alone bounds the size. https://docs.aws.amazon.com/nova/latest/userguide/modalities-document.html */
const NOVA_LIMITS: MediaLimits = { ...MESSAGE_LIMITS, maxDocumentBytes: Number.POSITIVE_INFINITY };

function mediaOf(blocks: readonly JsonObject[], model: ModelTraits): ShownMedia[] | MediaFault {
  const media: ShownMedia[] = [];
  const limits = model.baseId.startsWith('amazon.nova') ? NOVA_LIMITS : MESSAGE_LIMITS;
  for (const block of blocks) {
    const shown = readMediaBlock(block, { model, limits });
    if (shown === undefined) continue;
    if ('fault' in shown) return shown;
    media.push(shown);
  }
  return tooMany(media, limits) ?? media;
}

/** JSON's name of a value's type, as the schema errors spell it. */
export function typeName(value: unknown): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'JSONArray';
  switch (typeof value) {
    case 'string':
      return 'String';
    case 'boolean':
      return 'Boolean';
    case 'number':
      return Number.isInteger(value) ? 'Integer' : 'Double';
    default:
      return 'JSONObject';
  }
}

function withInferenceConfig(
  messages: ChatMessage[],
  config: unknown,
  model: ModelTraits,
): TextRequest | Refusal {
  const settings = config ?? {};
  if (!isJsonObject(settings)) {
    return malformed(`#/inferenceConfig: expected type: JSONObject, found: ${typeName(config)}`);
  }
  const extra = extraKeyOf(settings, INFERENCE_FIELDS);
  if (extra !== undefined) return malformed(`#/inferenceConfig: extraneous key [${extra}] is not permitted`);
  const key = settings.maxTokens === undefined ? 'max_new_tokens' : 'maxTokens';
  const maxTokens = settings[key];
  if (maxTokens !== undefined) {
    const path = `#/inferenceConfig/${key}`;
    if (!Number.isInteger(maxTokens))
      return malformed(`${path}: expected type: Integer, found: ${typeName(maxTokens)}`);
    if (Number(maxTokens) < 1) return malformed(`${path}: ${maxTokens} is not greater or equal to 1`);
    if (Number(maxTokens) > (model.maxOutputTokens ?? Number.POSITIVE_INFINITY)) {
      return malformed(`${path}: ${maxTokens} is not less or equal to ${model.maxOutputTokens}`);
    }
  }
  for (const name of ['temperature', 'topP', 'top_p']) {
    const value = settings[name];
    if (value === undefined) continue;
    const path = `#/inferenceConfig/${name}`;
    if (typeof value !== 'number')
      return malformed(`${path}: expected type: Number, found: ${typeName(value)}`);
    if (value < 0) return malformed(`${path}: ${value} is not greater or equal to 0`);
    if (value > 1) return malformed(`${path}: ${value} is not less or equal to 1`);
  }
  return {
    kind: 'text',
    messages,
    prompt: lastUserContent(messages),
    maxTokens: numberOr(maxTokens),
    temperature: numberOr(settings.temperature),
    topP: numberOr(settings.topP ?? settings.top_p),
    stopSequences: stringsOf(settings.stopSequences),
  };
}

/** The index of the first block whose text is white space alone. */
function blankBlockOf(blocks: unknown): number | undefined {
  const index = (blocks as JsonObject[]).findIndex(({ text }) => typeof text === 'string' && isBlank(text));
  return index === -1 ? undefined : index;
}

function blankText(place: string): string {
  return `The text field in the ContentBlock object at ${place} is blank. Add text to the text field, and try again.`;
}

function blocksText(blocks: unknown, path: string): string | Refusal {
  if (!Array.isArray(blocks))
    return malformed(`${path}: expected type: JSONArray, found: ${typeName(blocks)}`);
  if (blocks.length === 0) return malformed(`${path}: expected minimum item count: 1, found: 0`);
  let text = '';
  for (const [index, block] of blocks.entries()) {
    if (!isJsonObject(block))
      return malformed(`${path}/${index}: expected type: JSONObject, found: ${typeName(block)}`);
    const blockText = block.text;
    if (blockText === undefined || blockText === null) continue;
    if (typeof blockText !== 'string') {
      return malformed(`${path}/${index}/text: expected type: String, found: ${typeName(blockText)}`);
    }
    text += blockText;
  }
  return text;
}
