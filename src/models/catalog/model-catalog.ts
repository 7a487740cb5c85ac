import { ABSENT_MODELS, UNKNOWN_MODELS } from './absent-models.ts';
import { AMAZON_MODELS } from './amazon-models.ts';
import { ANTHROPIC_MODELS, CLAUDE_WITHOUT_BATCH, UNKNOWN_CLAUDE } from './anthropic-models.ts';
import { LLAMA_MODELS } from './llama-models.ts';
import { MISTRAL_MODELS } from './mistral-models.ts';
import type { ModelFacts } from './model-facts.ts';
import { OPEN_MODELS } from './open-models.ts';

/** Everything that Quarry knows of Bedrock's models: the one table that says so. */
export const MODEL_CATALOG: readonly ModelFacts[] = [
  ...AMAZON_MODELS,
  ...ANTHROPIC_MODELS,
  ...LLAMA_MODELS,
  ...MISTRAL_MODELS,
  ...OPEN_MODELS,
  ...CLAUDE_WITHOUT_BATCH,
  UNKNOWN_CLAUDE,
  ...ABSENT_MODELS,
  ...UNKNOWN_MODELS,
];

const BY_ID = new Map(MODEL_CATALOG.map((facts) => [facts.id, facts]));
/** The longest beginning first: it says most. */
const BY_BEGINNING = MODEL_CATALOG.filter(({ id }) => id.endsWith('*'))
  .map((facts) => ({ beginning: facts.id.slice(0, -1), facts }))
  .toSorted((a, b) => b.beginning.length - a.beginning.length);

/**
 * What is known of a `provider.model` id: of itself, of the same without a context size (`:300k`) or a version
 * (`-v1:0`), or of what starts so; undefined where nothing is.
 */
export function factsOf(baseModelId: string | undefined): ModelFacts | undefined {
  if (baseModelId === undefined) return undefined;
  const withoutContext = baseModelId.replace(/:(?:\d+k|mm)$/, '');
  return (
    BY_ID.get(baseModelId) ??
    BY_ID.get(withoutContext) ??
    BY_ID.get(withoutContext.replace(/-v\d+(?::\d+)?$/, '')) ??
    BY_BEGINNING.find(({ beginning }) => baseModelId.startsWith(beginning))?.facts
  );
}

/** The ids that a user may write for a model: through each profile, then the plain one. */
export function idsOf({ id, batch }: ModelFacts): string[] {
  if (batch.kind !== 'yes') return [];
  const plain = batch.plainIn.length > 0 ? [id] : [];
  return [...batch.profiles.map((profile) => `${profile}.${id}`), ...plain];
}

/** Patterns of all ids that have batch inference: every model of a provider, of Amazon's the families that have it. */
export function batchModelPatterns(): string[] {
  const patterns = MODEL_CATALOG.filter(({ batch }) => batch.kind === 'yes').map(({ id }) => {
    const family = /^amazon\.(?:nova|titan-embed)-/.exec(id)?.[0] ?? id.slice(0, id.indexOf('.') + 1);
    return `${family}*`;
  });
  return [...new Set(patterns)].toSorted();
}
