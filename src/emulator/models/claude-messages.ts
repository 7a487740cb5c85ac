import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import { readClaudeForm } from './asked-form.ts';
import {
  type ChatMessage,
  estimateTokens,
  extraKeyOf,
  isBlank,
  lastUserContent,
  type ModelFamily,
  type ModelTraits,
  numberOr,
  type Refusal,
  refuse,
  stringsOf,
} from './model-family.ts';
import {
  MESSAGE_LIMITS,
  type MediaFault,
  type MediaLimits,
  readShownMedia,
  type ShownMedia,
  tooMany,
} from './shown-media.ts';

const FIELDS = new Set(
  (
    'anthropic_version anthropic_beta max_tokens messages system temperature top_p top_k stop_sequences tools ' +
    'tool_choice thinking metadata output_config output_format context_management'
  ).split(' '),
);
const STOP_REASONS = { end: 'end_turn', length: 'max_tokens', 'stop-sequence': 'stop_sequence' } as const;

/** Bodies of Anthropic's Messages API. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html */
export const claudeMessages: ModelFamily = {
  readRequest: (body, model) => {
    if (body.anthropic_version === undefined) return refuse('anthropic_version: Field required');
    if (body.anthropic_version !== 'bedrock-2023-05-31') {
      return refuse("anthropic_version: Input should be 'bedrock-2023-05-31'");
    }
    const maxTokens = body.max_tokens;
    if (maxTokens === undefined) return refuse('max_tokens: Field required');
    if (!Number.isInteger(maxTokens)) return refuse('max_tokens: Input should be a valid integer');
    if (Number(maxTokens) < 1) return refuse('max_tokens: Input should be greater than or equal to 1');
    if (Number(maxTokens) > (model.maxOutputTokens ?? Number.POSITIVE_INFINITY)) {
      return refuse(
        `max_tokens: ${maxTokens} > ${model.maxOutputTokens}, which is the maximum allowed number of output tokens for ${modelName(model)}`,
      );
    }
    const extra = extraKeyOf(body, FIELDS);
    if (extra !== undefined) return refuse(`${extra}: Extra inputs are not permitted`);
    const stopSequences = stringsOf(body.stop_sequences);
    const conflict = samplingConflict(
      { temperature: body.temperature, topP: body.top_p, topK: body.top_k, stopSequences },
      model,
    );
    if (conflict !== undefined) return refuse(conflict);

    const messages = readMessages(body.messages, model);
    if (!Array.isArray(messages)) return messages;
    const system = body.system;
    if (system !== undefined) {
      const content = textOf(system, 'system');
      if (typeof content !== 'string') return content;
      messages.unshift({ role: 'system', content });
    }
    const form = readClaudeForm(body, model);
    if ('kind' in form) return form;
    return {
      kind: 'text',
      ...form,
      messages,
      prompt: lastUserContent(messages),
      maxTokens: Number(maxTokens),
      temperature: numberOr(body.temperature),
      topP: numberOr(body.top_p),
      stopSequences,
    };
  },
  writeAnswer: (answer, { model, digest }) => {
    if (answer.kind === 'embedding') return {};
    const thoughts =
      answer.reasoning === undefined
        ? []
        : [{ type: 'thinking', thinking: answer.reasoning, signature: `simulated-${digest()}` }];
    const text = answer.text === '' ? [] : [{ type: 'text', text: answer.text }];
    return {
      model: modelName(model),
      id: `msg_bdrk_${digest()}`,
      type: 'message',
      role: 'assistant',
      content: [...thoughts, ...text],
      stop_reason: STOP_REASONS[answer.stop],
      stop_sequence: answer.stopSequence ?? null,
      usage: {
        input_tokens: answer.inputTokens,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: answer.outputTokens,
        ...(answer.reasoning === undefined
          ? {}
          : { output_tokens_details: { thinking_tokens: estimateTokens(answer.reasoning) } }),
      },
    };
  },
};

/** What a body says of how its answer is drawn. */
interface Sampling {
  temperature: unknown;
  topP: unknown;
  topK?: unknown;
  stopSequences: readonly string[];
}

/** Why a model refuses these together, as its own errors have it; undefined where it takes them. */
export function samplingConflict(
  { temperature, topP, topK, stopSequences }: Sampling,
  { refuses }: ModelTraits,
): string | undefined {
  for (const [name, value] of [
    ['temperature', temperature],
    ['top_p', topP],
  ] as const) {
    if (value === undefined) continue;
    if (typeof value !== 'number') return `${name}: Input should be a valid number`;
    if (value < 0 || value > 1) return `${name}: range: 0..1`;
    if (refuses.sampling === true && value !== 1) return `\`${name}\` is deprecated for this model.`;
  }
  if (refuses.sampling === true && topK !== undefined) return '`top_k` is deprecated for this model.';
  if (refuses.temperatureWithTopP === true && temperature !== undefined && topP !== undefined) {
    return '`temperature` and `top_p` cannot both be specified for this model. Please use only one.';
  }
  if (refuses.blankStopSequences === true && stopSequences.some(isBlank)) {
    return 'stop_sequences: each stop sequence must contain non-whitespace';
  }
  return undefined;
}

function modelName(model: ModelTraits): string {
  return model.baseId.replace(/^anthropic\./, '').replace(/-v\d+(:\d+)?$/, '');
}

function readMessages(value: unknown, model: ModelTraits): ChatMessage[] | Refusal {
  if (value === undefined) return refuse('messages: Field required');
  if (!Array.isArray(value)) return refuse('messages: Input should be a valid list');
  if (value.length === 0) return refuse('messages: at least one message is required');
  const messages: ChatMessage[] = [];
  for (const [index, message] of value.entries()) {
    if (!isJsonObject(message)) return refuse(`messages.${index}: Input should be a valid dictionary`);
    const { role } = message;
    if (role === undefined) return refuse(`messages.${index}.role: Field required`);
    if (role !== 'user' && role !== 'assistant') {
      return refuse(`messages.${index}.role: Input should be 'user' or 'assistant'`);
    }
    if (index === 0 && role !== 'user') return refuse('messages: first message must use the "user" role');
    if (message.content === undefined) return refuse(`messages.${index}.content: Field required`);
    const content = textOf(message.content, `messages.${index}.content`);
    if (typeof content !== 'string') return content;
    const media = mediaOf(message.content, `messages.${index}.content`, model);
    if ('kind' in media) return media;
    messages.push({ role, content, ...(media.length === 0 ? {} : { media }) });
  }
  return messages;
}

/** Images and documents of a message. */
function mediaOf(content: unknown, path: string, model: ModelTraits): ShownMedia[] | Refusal {
  const media: ShownMedia[] = [];
  for (const [index, block] of (Array.isArray(content) ? content : []).entries()) {
    const { type } = block as JsonObject;
    if (type !== 'image' && type !== 'document') continue;
    const source = (block as JsonObject).source;
    if (!isJsonObject(source)) return refuse(`${path}.${index}.${type}.source: Field required`);
    const { media_type: told, data: base64 } = source;
    if (source.type !== 'base64' || told === undefined || base64 === undefined) {
      return refuse(`${path}.${index}.${type}.source.base64: Field required`);
    }
    const format = String(told).replace(/^(?:image|application)\//, '');
    const shown = readShownMedia(type, { base64, format }, { model, limits: LIMITS });
    if ('fault' in shown)
      return refuse(faultText(shown, `${path}.${index}.${type}.source.base64`, String(told)));
    media.push(shown);
  }
  const fault = tooMany(media, LIMITS);
  return fault === undefined ? media : refuse(faultText(fault, path, ''));
}

/** PDFs are bounded by the request alone. */
const LIMITS: MediaLimits = {
  ...MESSAGE_LIMITS,
  maxDocumentBytes: Number.POSITIVE_INFINITY,
};

function faultText(fault: MediaFault, path: string, told: string): string {
  const { kind } = fault;
  switch (fault.fault) {
    case 'unread':
      return `'claude' does not support ${kind} input`;
    case 'not-base64':
      return `${path}.data: Invalid base64 data`;
    case 'unknown-format':
    case 'damaged':
      return kind === 'image' ? 'Could not process image' : 'Could not process PDF';
    case 'other-format':
      return `${path}.data: The ${kind} was specified using the ${told} media type, but it appears to be another`;
    case 'too-many-bytes':
      return `${path}: ${kind} exceeds the maximum: ${fault.is} bytes > ${fault.most} bytes`;
    case 'too-many-pixels':
      return `${path}.data: At least one of the image dimensions exceed max allowed size: ${fault.most} pixels`;
    case 'too-many':
      return `${path}: too many ${kind}s: ${fault.is} > ${fault.most}`;
  }
}

function blankText(text: string): Refusal | undefined {
  if (text === '') return refuse('messages: text content blocks must be non-empty');
  return isBlank(text) ? refuse('messages: text content blocks must contain non-whitespace text') : undefined;
}

function textOf(content: unknown, path: string): string | Refusal {
  if (typeof content === 'string') return (path === 'system' ? undefined : blankText(content)) ?? content;
  if (!Array.isArray(content)) return refuse(`${path}: Input should be a valid list`);
  if (content.length === 0 && path !== 'system') return refuse(`${path}: at least one block is required`);
  let text = '';
  for (const [index, block] of content.entries()) {
    if (!isJsonObject(block)) return refuse(`${path}.${index}: Input should be a valid dictionary`);
    if (typeof block.type !== 'string') return refuse(`${path}.${index}.type: Field required`);
    if (block.type !== 'text') continue;
    const blockText = (block as JsonObject).text;
    if (typeof blockText !== 'string') return refuse(`${path}.${index}.text.text: Field required`);
    const refusal = blankText(blockText);
    if (refusal !== undefined) return refusal;
    text += blockText;
  }
  return text;
}
