import { factsOf } from '../../models/catalog/model-catalog.ts';
import type { NativeBody } from '../../models/catalog/model-facts.ts';
import { splitProfile } from '../../models/catalog/model-id.ts';
import { validationError } from '../http/service-error.ts';
import { chatCompletions } from './chat-completions.ts';
import { claudeMessages } from './claude-messages.ts';
import type { ModelFamily, ModelTraits } from './model-family.ts';
import { novaEmbeddings } from './nova-embeddings.ts';
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

/** The emulator's side of each body; it plays no model whose body is missing here. */
const FAMILIES: Readonly<Partial<Record<NativeBody, ModelFamily>>> = {
  'claude-messages': claudeMessages,
  'nova-messages': novaMessages,
  'llama-prompt': llamaPrompt,
  'mistral-prompt': mistralPrompt,
  'chat-completions': chatCompletions,
  'titan-text-embeddings': titanTextEmbeddings,
  'titan-multimodal-embeddings': titanMultimodalEmbeddings,
  'nova-embeddings': novaEmbeddings,
  // Known models that have no batch: a job is refused in the service's own words.
  none: chatCompletions,
};

/** The catalogue's model of a model id or ARN; throws the service's ValidationException for one that is not known. */
export function findEmulatedModel(modelId: string, account: AccountLocation): EmulatedModel {
  const label = modelId.slice(modelId.lastIndexOf('/') + 1);
  const baseId = baseIdOf(modelId, account);
  const facts = factsOf(baseId);
  const family = facts && FAMILIES[facts.body];
  if (facts === undefined || family === undefined || facts.output === 'other') {
    throw validationError('The provided model identifier is invalid.');
  }
  const { batch } = facts;
  const isPlain = label === baseId && !modelId.includes('-profile/');
  return {
    label: modelId.includes('custom-model/') ? baseId : label,
    baseId,
    family,
    produces: facts.output,
    supportsBatch: batch.kind === 'yes',
    lacksProfile: isPlain && batch.kind === 'yes' && batch.plainIn.length === 0,
    maxOutputTokens: facts.maxTokens,
    contextTokens: facts.contextTokens,
    thinking: facts.thinking,
    reads: facts.reads,
    structuredOutput: facts.structuredOutput,
    refuses: facts.refuses,
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
      return splitProfile(id).rest;
  }
}

function toModelArn(modelId: string, { accountId, region }: AccountLocation): string {
  if (modelId.startsWith('arn:')) return modelId;
  return splitProfile(modelId).prefix === undefined
    ? `arn:aws:bedrock:${region}::foundation-model/${modelId}`
    : `arn:aws:bedrock:${region}:${accountId}:inference-profile/${modelId}`;
}
