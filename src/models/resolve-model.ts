import { InvalidRunInputError } from '../core/errors.ts';
import { converse } from './adapters/converse.ts';
import { findAdapter } from './adapters/find-adapter.ts';
import {
  DEFAULT_MAX_TOKENS,
  type InferenceParameter,
  type InferenceParameters,
  type ModelAdapter,
  type ModelInvocationType,
  type ModelRequest,
} from './adapters/model-adapter.ts';
import { factsOf } from './catalog/model-catalog.ts';
import type { ModelFacts } from './catalog/model-facts.ts';
import { type ModelIdentity, parseModelId } from './catalog/model-id.ts';
import { didYouMeanModel } from './catalog/models-like.ts';
import { PRICES_AS_OF } from './catalog/prices.ts';
import { NOVA_CONVERSE_MEDIA } from './media.ts';
import { mediaRefusalsOf } from './media-refusals.ts';
import { refusalsOf } from './model-refusals.ts';
import type { MediaColumn } from './record-frame.ts';
import { type ThinkingChoice, type ThinkingLevel, thinkingOf } from './thinking.ts';

/** Which model a run asks, for what, and from where. */
export interface ModelChoice extends Pick<ModelRequest, 'systemPrompt' | 'parameters'> {
  /** How much it is to think; left out where nothing is said of that, as before runs could say it. */
  thinking?: ThinkingLevel | undefined;
  /** Id of the model behind an ARN that does not tell it. */
  baseModelId?: string | undefined;
  /** Where jobs are created; left out where no region is meant. */
  region?: string | undefined;
  /** True: what the catalogue says that Bedrock refuses is only noted. */
  force?: boolean | undefined;
  /** Columns of images and documents of each row. @default none */
  media?: readonly MediaColumn[] | undefined;
  /** The form of record that a run began with, which it keeps; left out where it has not begun. */
  invocationType?: ModelInvocationType | undefined;
}

/** A model that may be asked so, as far as is known. */
export interface ResolvedModel {
  adapter: ModelAdapter;
  /** What it is asked beside the prompts. */
  request: ModelRequest;
  /** Most tokens of an answer, thoughts included; undefined where nothing bounds them. */
  maxTokens: number | undefined;
  /** What is known of it; undefined where nothing is. */
  facts: ModelFacts | undefined;
  /** What its price goes by: the id itself, or that of the model behind it. */
  pricedId: string;
  /** What a user should know before anything is spent. */
  notes: string[];
}

/** The adapter of a run's model, once what the run asks of it is known to be possible; InvalidRunInputError else. */
export function resolveModel(modelId: string, choice: ModelChoice): ResolvedModel {
  const { systemPrompt, parameters, region, force = false } = choice;
  const identity = parseModelId(modelId);
  const base = baseOf(identity, choice.baseModelId);
  const pricedId = base?.modelId ?? modelId;
  const facts = factsOf(base?.baseModelId);
  // What makes vectors has no messages; of anything else Bedrock may know better by now.
  const mayConverse = force && facts?.output !== 'embedding';
  const form = choice.invocationType ?? formOfThinking(facts, choice.thinking) ?? formOfMedia(facts, choice);
  const { adapter: found, forced } = adapterOf(pricedId, form, mayConverse);
  const isNovaByConverse = found.invocationType === 'Converse' && facts?.body === 'nova-messages';
  const adapter = isNovaByConverse ? { ...found, media: NOVA_CONVERSE_MEDIA } : found;
  checkFamily(adapter, parameters, systemPrompt);
  const unread = mediaRefusalsOf(choice.media ?? [], { adapter, facts });
  const thinking = thinkingUnder(choice, { modelId, facts, adapter });
  const refusals = [
    ...(facts === undefined
      ? []
      : refusalsOf({
          identity,
          facts,
          region,
          parameters,
          isConverse: adapter.invocationType === 'Converse',
        })),
    ...thinking.refusals,
    ...unread,
  ];
  if (refusals.length > 0 && !force) {
    throw new InvalidRunInputError(`${refusals.join('\n')} To try it all the same, give force.`);
  }
  const notes = [
    ...forced,
    ...thinking.notes,
    ...refusals.map((refusal) => `${refusal} It is tried all the same, as force is given.`),
    ...(base === undefined
      ? [
          `model_id "${modelId}" does not tell its model, so its price is not known and it is asked through Converse. Give base_model_id.`,
        ]
      : facts === undefined || facts.batch.kind === 'unknown'
        ? [
            `Whether ${modelId} has batch inference is not known (catalogue of ${facts?.date ?? PRICES_AS_OF}).${didYouMeanModel(modelId)}`,
          ]
        : []),
  ];
  if (adapter.output.kind === 'embedding' && adapter.output.inputTokens === undefined) {
    notes.push(
      `${adapter.family} tells no tokens in its answers: input_tokens stays empty, and what a job has cost is known from its manifest alone.`,
    );
  }
  // Said only where it is more than adapters ask for by themselves.
  const raised = (thinking.maxTokens ?? 0) > DEFAULT_MAX_TOKENS ? { max_tokens: thinking.maxTokens } : {};
  const request = { systemPrompt, parameters: { ...raised, ...parameters }, thinking: thinking.form };
  return { adapter, request, maxTokens: thinking.maxTokens ?? facts?.maxTokens, facts, pricedId, notes };
}

/** Nova's native body has no documented place for it: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function formOfThinking(
  facts: ModelFacts | undefined,
  level: ThinkingLevel = 'off',
): ModelInvocationType | undefined {
  return facts?.thinking === 'reasoning-config' && level !== 'off' ? 'Converse' : undefined;
}

/** Nova's native body has no documented place for documents: https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html */
function formOfMedia(
  facts: ModelFacts | undefined,
  { media = [] }: Pick<ModelChoice, 'media'>,
): ModelInvocationType | undefined {
  return facts?.body === 'nova-messages' && media.some(({ kind }) => kind === 'document')
    ? 'Converse'
    : undefined;
}

function thinkingUnder(
  { thinking: level, parameters }: ModelChoice,
  { modelId, facts, adapter }: { modelId: string; facts: ModelFacts | undefined; adapter: ModelAdapter },
): ThinkingChoice {
  if (adapter.output.kind === 'embedding') {
    if (level !== undefined && level !== 'off') {
      throw new InvalidRunInputError(
        `thinking: ${modelId} makes embeddings and does not think. Leave it out.`,
      );
    }
    return { form: undefined, maxTokens: 0, refusals: [], notes: [] };
  }
  if (level !== undefined) return thinkingOf(level, { modelId, facts, parameters });
  const maxTokens = parameters.max_tokens ?? DEFAULT_MAX_TOKENS;
  return { form: undefined, maxTokens, refusals: [], notes: [] };
}

/** The adapter, and what is to be said of one that is only tried: Converse takes any text model, also one that is not known. */
function adapterOf(
  modelId: string,
  invocationType: ModelInvocationType | undefined,
  mayConverse: boolean,
): { adapter: ModelAdapter; forced: string[] } {
  try {
    return { adapter: findAdapter(modelId, invocationType), forced: [] };
  } catch (error) {
    if (!mayConverse || invocationType === 'InvokeModel') throw error;
    const note = `model_id "${modelId}" is of no supported family. It is asked for text through Converse all the same, as force is given.`;
    return { adapter: converse, forced: [note] };
  }
}

/** The model itself: what the id tells, or what the user says that it stands for. */
function baseOf(identity: ModelIdentity, told: string | undefined): ModelIdentity | undefined {
  if (told === undefined) return identity.baseModelId === undefined ? undefined : identity;
  const base = parseModelId(told, 'base_model_id');
  if (base.baseModelId === undefined) {
    throw new InvalidRunInputError(
      `base_model_id "${told}" does not tell its model either. Give the id of a model, like amazon.nova-lite-v1:0.`,
    );
  }
  if (identity.baseModelId !== undefined && identity.baseModelId !== base.baseModelId) {
    throw new InvalidRunInputError(
      `base_model_id is "${told}", but model_id "${identity.modelId}" is of ${identity.baseModelId}. Leave base_model_id out.`,
    );
  }
  return identity.baseModelId === undefined ? base : identity;
}

/** Refuses what no request of the family can say. */
function checkFamily(
  adapter: ModelAdapter,
  parameters: InferenceParameters,
  systemPrompt: string | undefined,
): void {
  const unknown = (Object.keys(parameters) as InferenceParameter[]).filter(
    (name) => parameters[name] !== undefined && !adapter.parameters.includes(name),
  );
  if (unknown.length > 0) {
    throw new InvalidRunInputError(
      `inference_parameters: ${adapter.family} does not take ${unknown.join(', ')}. It takes ${adapter.parameters.join(', ')}.`,
    );
  }
  if (systemPrompt !== undefined && !adapter.systemPrompt) {
    throw new InvalidRunInputError(`system_prompt: ${adapter.family} takes no system prompt. Leave it out.`);
  }
  const { dimensions } = parameters;
  if (
    dimensions !== undefined &&
    adapter.dimensions !== undefined &&
    !adapter.dimensions.includes(dimensions)
  ) {
    throw new InvalidRunInputError(
      `inference_parameters.dimensions is ${dimensions}; ${adapter.family} gives ${adapter.dimensions.join(', ')}.`,
    );
  }
}
