import { InvalidRunInputError } from '../../core/errors.ts';
import { factsOf } from '../catalog/model-catalog.ts';
import { parseModelId } from '../catalog/model-id.ts';
import { converse } from './converse.ts';
import type { AdaptedModel, ModelAdapter, ModelInvocationType } from './model-adapter.ts';
import { NATIVE_ADAPTERS } from './native-adapters.ts';

/** Every model family: the ones with a body of their own, and Converse for any other text model. */
export const MODEL_ADAPTERS: readonly ModelAdapter[] = [...NATIVE_ADAPTERS, converse];

/** Ids that no row of the catalogue tells of, and that speak of no text. */
const NOT_TEXT = /embed|rerank|image|canvas|reel|sonic|video|voyage|stable-/;

/**
 * The adapter of a model id; of one form of record, where it is said which. An ARN that does not tell its model (an
 * application inference profile, a custom model) goes through Converse. Throws InvalidRunInputError where no family
 * takes the model.
 */
export function findAdapter(modelId: string, invocationType?: ModelInvocationType): ModelAdapter {
  const { baseModelId } = parseModelId(modelId);
  if (baseModelId === undefined) return converse;
  const model = factsOf(baseModelId) ?? guessed(baseModelId);
  const adapter = MODEL_ADAPTERS.find(
    (candidate) =>
      candidate.matches(model) &&
      (invocationType === undefined || candidate.invocationType === invocationType),
  );
  if (adapter === undefined) {
    const families = MODEL_ADAPTERS.map(({ family, example }) => `${family}: ${example}`).join('; ');
    throw new InvalidRunInputError(
      `model_id "${modelId}" is of no supported family. Families: ${families}. Converse takes any text model, but this is not one, as its id says.`,
    );
  }
  return adapter;
}

function guessed(id: string): AdaptedModel {
  return { id, body: 'none', output: NOT_TEXT.test(id) ? 'other' : 'text' };
}
