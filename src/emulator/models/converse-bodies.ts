import { isJsonObject, type JsonObject } from '../../core/text/json-value.ts';
import { readConverseForm } from './asked-form.ts';
import { samplingConflict } from './claude-messages.ts';
import {
  extraKeyOf,
  lastUserContent,
  type ModelFamily,
  type ModelTraits,
  malformed,
  numberOr,
  refuse,
  stringsOf,
} from './model-family.ts';
import { readBlockMessages } from './nova-messages.ts';

const FIELDS = new Set(
  (
    'messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables ' +
    'additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig'
  ).split(' '),
);
const INFERENCE_FIELDS = new Set(['maxTokens', 'temperature', 'topP', 'stopSequences']);
const STOP_REASONS = { end: 'end_turn', length: 'max_tokens', 'stop-sequence': 'stop_sequence' } as const;

/** Members of the content block union that a batch output file spells out as null. */
const EMPTY_BLOCK = Object.fromEntries(
  (
    'text image document video audio toolUse toolResult guardContent cachePoint reasoningContent citationsContent ' +
    'searchResult'
  )
    .split(' ')
    .map((member) => [member, null]),
);

/** Bodies of Converse, for any text model. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const converseBodies: ModelFamily = {
  readRequest: (body, model, inBatch) => {
    if (inBatch && body.toolConfig !== undefined && body.toolConfig !== null) {
      return refuse(
        'Tool use is not supported in batch inference with Converse. Remove toolConfig and try again.',
      );
    }
    const extra = extraKeyOf(body, FIELDS);
    if (extra !== undefined) return malformed(`#: extraneous key [${extra}] is not permitted`);
    // An empty list of system blocks is none: langchain-aws always sends one.
    const { system, ...others } = body;
    const isSystemEmpty = Array.isArray(system) && system.length === 0;
    const messages = readBlockMessages(isSystemEmpty ? others : body, model, refuse);
    if (!Array.isArray(messages)) return messages;
    if (messages.find((message) => message.role !== 'system')?.role !== 'user') {
      return refuse(
        'A conversation must start with a user message. Try again with a conversation that starts with a user message.',
      );
    }
    const settings = body.inferenceConfig ?? {};
    if (!isJsonObject(settings)) return malformed('#/inferenceConfig: expected type: JSONObject');
    const extraSetting = extraKeyOf(settings, INFERENCE_FIELDS);
    if (extraSetting !== undefined) {
      return malformed(`#/inferenceConfig: extraneous key [${extraSetting}] is not permitted`);
    }
    const maxTokens = numberOr(settings.maxTokens);
    if (maxTokens !== undefined && maxTokens < 1) {
      return refuse(
        "1 validation error detected: Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1",
      );
    }
    if (maxTokens !== undefined && maxTokens > (model.maxOutputTokens ?? Number.POSITIVE_INFINITY)) {
      return refuse(
        `The maximum tokens you requested exceeds the model limit of ${model.maxOutputTokens}. Try again with a maximum tokens value that is lower than ${model.maxOutputTokens}.`,
      );
    }
    const stopSequences = stringsOf(settings.stopSequences);
    const unsupported = unsupportedField({ stopSequences }, model);
    if (unsupported !== undefined) return refuse(unsupported);
    const conflict = samplingConflict(
      { temperature: settings.temperature, topP: settings.topP, stopSequences },
      model,
    );
    if (conflict !== undefined) return refuse(`The model returned the following errors: ${conflict}`);
    const form = readConverseForm(body, model);
    if ('kind' in form) {
      return refuse(`The model returned the following errors: ${form.errorMessage}`);
    }
    return {
      kind: 'text',
      ...form,
      messages,
      prompt: lastUserContent(messages),
      maxTokens,
      temperature: numberOr(settings.temperature),
      topP: numberOr(settings.topP),
      stopSequences,
    };
  },
  writeAnswer: (answer, { inBatch, model }) => {
    if (answer.kind === 'embedding') return {};
    const block = (member: JsonObject) => (inBatch ? { ...EMPTY_BLOCK, ...member } : member);
    const content = [block({ text: answer.text })];
    if (answer.reasoning !== undefined) {
      content.unshift(
        block({ reasoningContent: { reasoningText: { text: thoughtsOf(answer.reasoning, model) } } }),
      );
    }
    return {
      output: { message: { role: 'assistant', content } },
      stopReason: STOP_REASONS[answer.stop],
      usage: {
        inputTokens: answer.inputTokens,
        outputTokens: answer.outputTokens,
        totalTokens: answer.inputTokens + answer.outputTokens,
        cacheReadInputTokens: 0,
        cacheWriteInputTokens: 0,
      },
      metrics: { latencyMs: 200 + answer.outputTokens * 10 },
      ...(inBatch
        ? { additionalModelResponseFields: null, trace: null, performanceConfig: null, serviceTier: null }
        : {}),
    };
  },
};

/** What Converse says where a model lacks a field of its; https://github.com/langgenius/dify-official-plugins/issues/1767 has the words. */
function unsupportedField(
  { stopSequences }: { stopSequences: readonly string[] },
  { refuses }: ModelTraits,
): string | undefined {
  return refuses.stopSequences === true && stopSequences.length > 0
    ? "This model doesn't support the stopSequences field. Remove stopSequences and try again."
    : undefined;
}

/** Nova's thoughts are not shown: https://docs.aws.amazon.com/nova/latest/nova2-userguide/reasoning-capabilities.html */
function thoughtsOf(reasoning: string, { thinking }: ModelTraits): string {
  return thinking === 'reasoning-config' ? '[REDACTED]' : reasoning;
}
