import { InvalidRunInputError } from '../../core/errors.ts';
import { parseModelId } from '../catalog/model-id.ts';
import { amazonNova } from './amazon-nova.ts';
import { anthropicMessages } from './anthropic-messages.ts';
import { converse } from './converse.ts';
import type { ModelAdapter } from './model-adapter.ts';
import { titanTextEmbeddings } from './titan-text-embeddings.ts';

/** Every model family, the particular ones first: the first that matches a model id is its adapter. */
export const MODEL_ADAPTERS: readonly ModelAdapter[] = [
  anthropicMessages,
  amazonNova,
  titanTextEmbeddings,
  converse,
];

/**
 * The adapter of a model id. An ARN that does not tell its model (an application inference profile, a custom
 * model) goes through Converse. Throws InvalidRunInputError where no family takes the model.
 */
export function findAdapter(modelId: string): ModelAdapter {
  const { baseModelId } = parseModelId(modelId);
  if (baseModelId === undefined) return converse;
  const adapter = MODEL_ADAPTERS.find((candidate) => candidate.matches(baseModelId));
  if (adapter === undefined) {
    const families = MODEL_ADAPTERS.map(({ family, example }) => `${family}: ${example}`).join('; ');
    throw new InvalidRunInputError(
      `model_id "${modelId}" is of no supported family. Families: ${families}. Converse takes any text model, but this is not one, as its id says.`,
    );
  }
  return adapter;
}
