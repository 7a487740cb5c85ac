import { InvalidRunInputError } from '../core/errors.ts';
import { DEFAULT_MAX_TOKENS, type InferenceParameters } from './adapters/model-adapter.ts';
import type { ModelFacts, Thinking } from './catalog/model-facts.ts';

/** How much a model is to think before it answers. */
export type ThinkingLevel = 'off' | 'low' | 'medium' | 'high' | 'max';

type Effort = Exclude<ThinkingLevel, 'off'>;

/** What a body says of thinking, in the words of the model's generation. */
export type ThinkingForm =
  /** `thinking: {type: "disabled"}`. */
  | { kind: 'disabled' }
  /** `thinking: {type: "enabled", budget_tokens}`. */
  | { kind: 'budget'; tokens: number }
  /** `thinking: {type: "adaptive"}`, and `output_config: {effort}`. */
  | { kind: 'adaptive'; effort: Effort }
  /** `reasoningConfig: {type: "enabled", maxReasoningEffort}`. */
  | { kind: 'reasoning-config'; effort: Exclude<Effort, 'max'> }
  /** `reasoning_effort`. */
  | { kind: 'reasoning-effort'; effort: Exclude<Effort, 'max'> };

/**
 * Tokens that thoughts may take at each level: of a model that takes a budget, that budget; of the others, by how much
 * `max_tokens` is raised where the run input does not give it. Anthropic takes 1,024 and more.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
 */
const THINKING_TOKENS: Readonly<Record<ThinkingLevel, number>> = {
  off: 0,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  max: 32_768,
};

/** How a run's model is told to think. */
export interface ThinkingChoice {
  /** Undefined where the body says nothing of it. */
  form: ThinkingForm | undefined;
  /** Most tokens of thoughts and answer together; undefined where none may be asked for. */
  maxTokens: number | undefined;
  /** What the model refuses, each a sentence or two. */
  refusals: string[];
  notes: string[];
}

interface ThinkingUse {
  modelId: string;
  /** Undefined where nothing is known of the model. */
  facts: Pick<ModelFacts, 'name' | 'thinking' | 'maxTokens'> | undefined;
  parameters: InferenceParameters;
}

/**
 * How a model is told to think so much; of models that think unless told otherwise, that they are not to. Throws
 * InvalidRunInputError where no request can say it.
 */
export function thinkingOf(
  level: ThinkingLevel,
  { modelId, facts, parameters }: ThinkingUse,
): ThinkingChoice {
  const { thinking = 'none', name = modelId } = facts ?? {};
  if (level !== 'off') requireThinker(thinking, { modelId, isKnown: facts !== undefined });
  const ceiling = facts?.maxTokens ?? Number.POSITIVE_INFINITY;
  const isUnbounded = thinking === 'reasoning-config' && (level === 'high' || level === 'max');
  const maxTokens = parameters.max_tokens ?? Math.min(ceiling, DEFAULT_MAX_TOKENS + THINKING_TOKENS[level]);
  const budget = Math.min(THINKING_TOKENS[level], ceiling - DEFAULT_MAX_TOKENS);
  return {
    form: formOf(thinking, level, budget),
    maxTokens: isUnbounded ? undefined : maxTokens,
    refusals:
      level === 'off' ? [] : refusalsOf(thinking, { level, modelId, parameters, budget, isUnbounded }),
    notes: notesOf(thinking, { level, name, maxTokens: parameters.max_tokens }),
  };
}

function requireThinker(
  thinking: Thinking,
  { modelId, isKnown }: { modelId: string; isKnown: boolean },
): void {
  if (thinking !== 'none' && thinking !== 'always') return;
  throw new InvalidRunInputError(
    `thinking: ${
      !isKnown
        ? `how ${modelId} is told to think is not known`
        : thinking === 'none'
          ? `${modelId} does not think`
          : `${modelId} always thinks, and nothing changes how much`
    }. Leave thinking out.`,
  );
}

function formOf(thinking: Thinking, level: ThinkingLevel, budget: number): ThinkingForm | undefined {
  const most = level === 'max' ? 'high' : level;
  switch (thinking) {
    case 'none':
    case 'always':
      return undefined;
    case 'budget':
      return level === 'off' ? undefined : { kind: 'budget', tokens: budget };
    case 'adaptive':
      return level === 'off' ? undefined : { kind: 'adaptive', effort: level };
    case 'adaptive-by-default':
      return level === 'off' ? { kind: 'disabled' } : { kind: 'adaptive', effort: level };
    case 'reasoning-config':
      return most === 'off' ? undefined : { kind: 'reasoning-config', effort: most };
    case 'reasoning-effort':
      return { kind: 'reasoning-effort', effort: most === 'off' ? 'low' : most };
  }
}

/** What thinking does not go together with: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
function refusalsOf(
  thinking: Thinking,
  {
    level,
    modelId,
    parameters: { max_tokens, temperature, top_p, top_k },
    budget,
    isUnbounded,
  }: {
    level: ThinkingLevel;
    modelId: string;
    parameters: InferenceParameters;
    budget: number;
    isUnbounded: boolean;
  },
): string[] {
  if (isUnbounded) {
    const given = Object.entries({ max_tokens, temperature, top_p }).filter(
      ([, value]) => value !== undefined,
    );
    const names = given.map(([name]) => name).join(', ');
    return given.length === 0
      ? []
      : [
          `inference_parameters: ${modelId} refuses ${names} with thinking ${level}. Leave it out, or take thinking medium.`,
        ];
  }
  const isClaude = thinking === 'budget' || thinking.startsWith('adaptive');
  const sampling = [
    (temperature ?? 1) === 1 ? [] : 'temperature other than 1',
    (top_p ?? 1) >= LEAST_TOP_P ? [] : `top_p under ${LEAST_TOP_P}`,
    top_k === undefined ? [] : 'top_k',
  ].flat();
  return [
    isClaude && sampling.length > 0
      ? `inference_parameters: ${modelId} refuses ${sampling.join(' and ')} while it thinks. Leave that out, or thinking.`
      : [],
    thinking === 'budget' && max_tokens !== undefined && max_tokens <= budget
      ? `inference_parameters.max_tokens is ${max_tokens}, and thinking ${level} may take ${budget} of them: ${modelId} refuses that. Give more than ${budget}, or a lower thinking.`
      : [],
  ].flat();
}

const LEAST_TOP_P = 0.95;

function notesOf(
  thinking: Thinking,
  { level, name, maxTokens }: { level: ThinkingLevel; name: string; maxTokens: number | undefined },
): string[] {
  const most = thinking === 'reasoning-config' || thinking === 'reasoning-effort';
  return [
    thinking === 'always'
      ? `${name} always thinks: its thoughts are paid for as output, and max_tokens counts for both.`
      : [],
    thinking === 'reasoning-effort' && level === 'off'
      ? `${name} cannot be told not to think, so it is asked for the least (reasoning_effort low): its thoughts are paid for as output, and max_tokens counts for both.`
      : [],
    most && level === 'max' ? `${name} knows no more than high: thinking max is that.` : [],
    level !== 'off' && maxTokens !== undefined && maxTokens < DEFAULT_MAX_TOKENS + THINKING_TOKENS[level]
      ? `max_tokens ${maxTokens} counts for thoughts and answer together, which is little for thinking ${level}: answers may be cut off. Leave it out for ${DEFAULT_MAX_TOKENS + THINKING_TOKENS[level]}.`
      : [],
  ].flat();
}
