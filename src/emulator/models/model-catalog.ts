import { validationError } from '../http/service-error.ts';
import { chatCompletions } from './chat-completions.ts';
import { claudeMessages } from './claude-messages.ts';
import type { ModelFamily, ModelTraits } from './model-family.ts';
import { novaMessages } from './nova-messages.ts';
import { llamaPrompt, mistralPrompt } from './prompt-completions.ts';
import { titanMultimodalEmbeddings, titanTextEmbeddings } from './titan-embeddings.ts';

/** A model as one request names it. */
export interface EmulatedModel extends ModelTraits {
  family: ModelFamily;
  produces: 'text' | 'embedding';
  supportsBatch: boolean;
  /** The model is offered through inference profiles alone, and this is its bare id. */
  lacksProfile: boolean;
  /** The ARN form in which GetModelInvocationJob gives the model back. */
  arn: string;
}

/** Whose account and region the emulator plays. */
export interface AccountLocation {
  accountId: string;
  region: string;
  /** Base model id of each application inference profile, by the profile's id. */
  applicationProfiles: Readonly<Record<string, string>>;
}

interface CatalogEntry {
  pattern: RegExp;
  family: ModelFamily;
  produces?: 'embedding';
  /** False: known, but refused by CreateModelInvocationJob. */
  supportsBatch?: false;
  maxOutputTokens?: number;
  contextTokens?: number;
}

/** Geographic prefixes of inference profiles. https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html */
const PROFILE_PREFIX = /^(us|eu|apac|jp|au|ca|global|us-gov)\.(?=[a-z0-9-]+\.)/;

/**
 * Models that no region serves by their plain ids, of those that have batch.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html, as of October 2026
 */
const NEEDS_PROFILE =
  /^(amazon\.nova-(2-lite|premier)|anthropic\.claude-(3-7|sonnet-4|haiku-4-5|opus-(4-[56]|5))|meta\.llama(3-2|4))/;

/**
 * The first entry that matches counts. Support for batch as listed and as probed:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-supported.html
 */
const CATALOG: readonly CatalogEntry[] = [
  {
    pattern: /^amazon\.nova-micro-v1:0/,
    family: novaMessages,
    maxOutputTokens: 10_000,
    contextTokens: 128_000,
  },
  {
    pattern: /^amazon\.nova-(lite|pro)-v1:0/,
    family: novaMessages,
    maxOutputTokens: 10_000,
    contextTokens: 300_000,
  },
  {
    pattern: /^amazon\.nova-premier-v1:0/,
    family: novaMessages,
    maxOutputTokens: 10_000,
    contextTokens: 1_000_000,
  },
  {
    pattern: /^amazon\.nova-2-lite-v1:0/,
    family: novaMessages,
    maxOutputTokens: 65_535,
    contextTokens: 1_000_000,
  },
  { pattern: /^amazon\.nova-(2-)?(pro|premier|lite|micro)/, family: novaMessages, supportsBatch: false },
  { pattern: /^amazon\.titan-embed-text-v2:0/, family: titanTextEmbeddings, produces: 'embedding' },
  { pattern: /^amazon\.titan-embed-image-v1/, family: titanMultimodalEmbeddings, produces: 'embedding' },
  {
    pattern: /^anthropic\.claude-haiku-4-5/,
    family: claudeMessages,
    maxOutputTokens: 64_000,
    contextTokens: 200_000,
  },
  {
    pattern: /^anthropic\.claude-opus-5/,
    family: claudeMessages,
    maxOutputTokens: 128_000,
  },
  {
    pattern: /^anthropic\.claude-(3-(haiku|sonnet|opus)|3-[57]-|sonnet-4|opus-4-[56])/,
    family: claudeMessages,
    contextTokens: 200_000,
  },
  { pattern: /^anthropic\.claude-/, family: claudeMessages, supportsBatch: false },
  {
    pattern: /^meta\.llama3-[123]-/,
    family: llamaPrompt,
    maxOutputTokens: 8192,
    contextTokens: 131_072,
  },
  { pattern: /^meta\.llama4-(scout|maverick)-/, family: llamaPrompt, maxOutputTokens: 8192 },
  { pattern: /^meta\.llama/, family: llamaPrompt, supportsBatch: false },
  { pattern: /^mistral\.(mistral-7b|mixtral)/, family: mistralPrompt, supportsBatch: false },
  {
    pattern: /^mistral\.(mistral-large-(2407|3)|mistral-small-2402|ministral-3-(8b|14b))/,
    family: chatCompletions,
  },
  {
    pattern: /^openai\.gpt-oss-(20b|120b)-1:0/,
    family: chatCompletions,
    maxOutputTokens: 128_000,
    contextTokens: 131_072,
  },
  { pattern: /^qwen\.qwen3-32b/, family: chatCompletions, maxOutputTokens: 32_768 },
  {
    pattern: /^(deepseek\.v3|qwen\.qwen3-|google\.gemma-3-|nvidia\.nemotron-nano-3-30b)/,
    family: chatCompletions,
  },
  { pattern: /^(zai\.glm-4\.7|minimax\.minimax-m2\.1|moonshot(ai)?\.kimi-k2)/, family: chatCompletions },
  {
    pattern: /^(mistral|openai|deepseek|qwen|google|nvidia|zai|minimax|moonshot(ai)?|writer|cohere|ai21)\./,
    family: chatCompletions,
    supportsBatch: false,
  },
];

/** The catalog's model of a model id or ARN; throws the service's ValidationException for one that is not known. */
export function findEmulatedModel(modelId: string, account: AccountLocation): EmulatedModel {
  const label = modelId.slice(modelId.lastIndexOf('/') + 1);
  const baseId = baseIdOf(modelId, account);
  const entry = CATALOG.find(({ pattern }) => pattern.test(baseId));
  if (entry === undefined) throw validationError('The provided model identifier is invalid.');
  return {
    label: modelId.includes('custom-model/') ? baseId : label,
    baseId,
    family: entry.family,
    produces: entry.produces ?? 'text',
    supportsBatch: entry.supportsBatch !== false,
    lacksProfile: label === baseId && NEEDS_PROFILE.test(baseId) && !modelId.includes('-profile/'),
    maxOutputTokens: entry.maxOutputTokens,
    contextTokens: entry.contextTokens,
    arn: toModelArn(modelId, account),
  };
}

function baseIdOf(modelId: string, { applicationProfiles }: AccountLocation): string {
  const match = /^arn:[^:]+:bedrock:[^:]*:[^:]*:([a-z-]+)\/(.+)$/.exec(modelId);
  const [, kind, id = modelId] = match ?? [];
  switch (kind) {
    case 'application-inference-profile':
      return applicationProfiles[id] ?? '';
    case 'custom-model':
      return id.slice(0, id.indexOf('/'));
    default:
      return id.replace(PROFILE_PREFIX, '');
  }
}

function toModelArn(modelId: string, { accountId, region }: AccountLocation): string {
  if (modelId.startsWith('arn:')) return modelId;
  return PROFILE_PREFIX.test(modelId)
    ? `arn:aws:bedrock:${region}:${accountId}:inference-profile/${modelId}`
    : `arn:aws:bedrock:${region}::foundation-model/${modelId}`;
}
