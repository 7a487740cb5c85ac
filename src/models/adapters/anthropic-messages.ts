import type { JsonSchema } from '../../core/run-input/output-schema.ts';
import { withoutUndefined } from '../../core/text/json-value.ts';
import { IMAGE_FORMATS, MEDIA_READ_ON, type MediaBlock, type MediaSupport } from '../media.ts';
import type { ThinkingForm } from '../thinking.ts';
import { type ConversationTurn, DEFAULT_MAX_TOKENS, type ModelAdapter } from './model-adapter.ts';

/** Most bytes of Claude's payload on Bedrock. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html */
const MAX_CLAUDE_BYTES = 20_000_000;

/**
 * What Claude takes beside text. Of images 5 MB in Base64, and up to 8,000 pixels a side where there are no more than 20 of them
 * (https://platform.claude.com/docs/en/build-with-claude/vision); of documents as many as Bedrock takes, their size bounded by the payload.
 */
const MEDIA: MediaSupport = {
  image: { formats: IMAGE_FORMATS, maxBytes: 3_750_000, maxSide: 8_000, most: 20 },
  document: { formats: ['pdf'], most: 5 },
  maxRequestBytes: MAX_CLAUDE_BYTES,
  source: 'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api-restrictions.html',
  date: MEDIA_READ_ON,
  imageTokens,
};

/**
 * Anthropic Claude, Messages API.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
 */
export const anthropicMessages: ModelAdapter = {
  family: 'Anthropic Claude',
  example: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
  invocationType: 'InvokeModel',
  parameters: ['max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  systemPrompt: true,
  media: MEDIA,
  matches: ({ body }) => body === 'claude-messages',
  turn: toMessage,
  schemaField: ['output_config', 'format'],
  toModelInput: (prompt, { systemPrompt, parameters, turns = [], thinking, schema, media }) =>
    withoutUndefined({
      anthropic_version: 'bedrock-2023-05-31',
      max_tokens: parameters.max_tokens ?? DEFAULT_MAX_TOKENS,
      system: systemPrompt,
      temperature: parameters.temperature,
      top_p: parameters.top_p,
      top_k: parameters.top_k,
      stop_sequences: parameters.stop_sequences,
      thinking: thinkingFieldOf(thinking),
      output_config: outputConfigOf(thinking, schema),
      messages: [...turns, { role: 'user', text: prompt, media } as const].map(toMessage),
    }),
  output: {
    kind: 'text',
    blocks: ['content'],
    text: ['text'],
    only: { key: 'type', equals: 'text' },
    stopReason: ['stop_reason'],
    inputTokens: ['usage', 'input_tokens'],
    outputTokens: ['usage', 'output_tokens'],
    // Since 2026-05-27: https://platform.claude.com/docs/en/release-notes/overview
    thinkingTokens: ['usage', 'output_tokens_details', 'thinking_tokens'],
  },
};

function toMessage({ role, text, media = [] }: ConversationTurn): Record<string, unknown> {
  return { role, content: [...media.map(toBlock), { type: 'text', text }] };
}

function toBlock({ kind, mediaType, base64 }: MediaBlock): Record<string, unknown> {
  return { type: kind, source: { type: 'base64', media_type: mediaType, data: base64 } };
}

/** Longest side, and most tokens, that an image has once Anthropic has made it smaller. */
const [LONGEST_SIDE, MOST_IMAGE_TOKENS] = [1_568, 1_600];
const PIXELS_PER_TOKEN = 750;

/** https://docs.anthropic.com/en/docs/build-with-claude/vision#calculate-image-costs */
function imageTokens({ width, height }: { width: number; height: number }): number {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return Math.min(MOST_IMAGE_TOKENS, Math.ceil((width * height * scale ** 2) / PIXELS_PER_TOKEN));
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html */
function thinkingFieldOf(thinking: ThinkingForm | undefined): Record<string, unknown> | undefined {
  switch (thinking?.kind) {
    case 'disabled':
      return { type: 'disabled' };
    case 'adaptive':
      return { type: 'adaptive' };
    case 'budget':
      return { type: 'enabled', budget_tokens: thinking.tokens };
    default:
      return undefined;
  }
}

/** How hard it thinks, and what its answer is held to: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
function outputConfigOf(
  thinking: ThinkingForm | undefined,
  schema: JsonSchema | undefined,
): Record<string, unknown> | undefined {
  const effort = thinking?.kind === 'adaptive' ? { effort: thinking.effort } : undefined;
  const format = schema === undefined ? undefined : { format: { type: 'json_schema', schema } };
  return effort === undefined && format === undefined ? undefined : { ...effort, ...format };
}
