import { isJsonObject } from '../../core/text/json-value.ts';
import { readChatForm } from './asked-form.ts';
import {
  type ChatMessage,
  lastUserContent,
  type ModelFamily,
  type ModelTraits,
  numberOr,
  refuse,
  stringsOf,
} from './model-family.ts';
import {
  blockFaultText,
  MESSAGE_LIMITS,
  type MediaFault,
  readShownMedia,
  type ShownMedia,
  tooMany,
} from './shown-media.ts';

const FINISH_REASONS = { end: 'stop', length: 'length', 'stop-sequence': 'stop' } as const;
const ROLES: Readonly<Record<string, ChatMessage['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'user',
};

/** Bodies in the manner of OpenAI's chat completions. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html */
export const chatCompletions: ModelFamily = {
  readRequest: (body, model) => {
    const value = body.messages;
    if (!Array.isArray(value))
      return refuse("[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required'}]");
    if (value.length === 0) return refuse('messages: at least one message is required');
    if (body.stream === true) return refuse('stream: only false is supported with InvokeModel');
    if (typeof body.model === 'string' && ![model.label, model.baseId].includes(body.model)) {
      return refuse(
        `The model "${body.model}" in the body does not match the requested model "${model.label}".`,
      );
    }
    const maxTokens = numberOr(body.max_completion_tokens ?? body.max_tokens);
    if (maxTokens !== undefined && (!Number.isInteger(maxTokens) || maxTokens < 1)) {
      return refuse(`max_tokens must be at least 1, got ${maxTokens}.`);
    }
    if (maxTokens !== undefined && maxTokens > (model.maxOutputTokens ?? Number.POSITIVE_INFINITY)) {
      return refuse(`max_tokens: ${maxTokens} exceeds the model limit of ${model.maxOutputTokens}.`);
    }
    const messages: ChatMessage[] = [];
    for (const [index, message] of value.entries()) {
      if (!isJsonObject(message)) return refuse(`messages[${index}]: expected an object`);
      const role = ROLES[String(message.role)];
      if (role === undefined) return refuse(`messages[${index}].role: "${message.role}" is not a known role`);
      const content = contentText(message.content);
      if (content === undefined)
        return refuse(`messages[${index}].content: expected a string or a list of parts`);
      const media = mediaOf(message.content, model);
      if ('fault' in media) return refuse(blockFaultText(media));
      messages.push({ role, content, ...(media.length === 0 ? {} : { media }) });
    }
    const stopSequences = stringsOf(body.stop);
    if (model.refuses.stopSequences === true && stopSequences.length > 0) {
      return refuse("This model doesn't support the stop field. Remove stop and try again.");
    }
    const form = readChatForm(body, model);
    if ('kind' in form) return form;
    return {
      kind: 'text',
      ...form,
      messages,
      prompt: lastUserContent(messages),
      maxTokens,
      temperature: numberOr(body.temperature),
      topP: numberOr(body.top_p),
      stopSequences,
    };
  },
  writeAnswer: (answer, { model, digest, atMs }) => {
    if (answer.kind === 'embedding') return {};
    const reasoning = answer.reasoning === undefined ? '' : `<reasoning>${answer.reasoning}</reasoning>`;
    return {
      choices: [
        {
          finish_reason: FINISH_REASONS[answer.stop],
          index: 0,
          message: { content: `${reasoning}${answer.text}`, role: 'assistant' },
        },
      ],
      created: Math.floor(atMs / 1000),
      id: `chatcmpl-${digest()}`,
      model: model.baseId,
      object: 'chat.completion',
      usage: {
        completion_tokens: answer.outputTokens,
        prompt_tokens: answer.inputTokens,
        total_tokens: answer.inputTokens + answer.outputTokens,
      },
    };
  },
};

/** Images of a message's parts: `{type: "image_url", image_url: {url: "data:image/png;base64,…"}}`. */
function mediaOf(content: unknown, model: ModelTraits): ShownMedia[] | MediaFault {
  const media: ShownMedia[] = [];
  for (const part of Array.isArray(content) ? content : []) {
    if (!isJsonObject(part) || part.type !== 'image_url') continue;
    const { url } = isJsonObject(part.image_url) ? part.image_url : {};
    const [, format, base64] = /^data:image\/([a-z]+);base64,(.*)$/s.exec(String(url)) ?? [];
    const shown = readShownMedia('image', { base64, format }, { model, limits: MESSAGE_LIMITS });
    if ('fault' in shown) return shown;
    media.push(shown);
  }
  return tooMany(media, MESSAGE_LIMITS) ?? media;
}

function contentText(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (content === null) return '';
  if (!Array.isArray(content)) return undefined;
  return content
    .map((part) => (isJsonObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join('');
}
