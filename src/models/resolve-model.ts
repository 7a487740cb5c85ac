import { InvalidRunInputError } from '../core/errors.ts';
import { findAdapter } from './find-adapter.ts';
import type { InferenceParameter, ModelAdapter, ModelRequest } from './model-adapter.ts';
import { parseModelId } from './model-id.ts';
import { modelLimitsOf } from './model-limits.ts';

/** Dimensions that Titan Text Embeddings V2 gives. */
const EMBEDDING_DIMENSIONS = [256, 512, 1024];

/** The adapter of a run's model, once what the run asks of it is known to be possible; InvalidRunInputError else. */
export function resolveModel(modelId: string, { systemPrompt, parameters }: ModelRequest): ModelAdapter {
  const adapter = findAdapter(modelId);
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
  const { maxTokens, temperatureExcludesTopP } = modelLimitsOf(parseModelId(modelId).baseModelId);
  if (maxTokens !== undefined && (parameters.max_tokens ?? 0) > maxTokens) {
    throw new InvalidRunInputError(
      `inference_parameters.max_tokens is ${parameters.max_tokens}, but ${modelId} refuses more than ${maxTokens}.`,
    );
  }
  if (temperatureExcludesTopP && parameters.temperature !== undefined && parameters.top_p !== undefined) {
    throw new InvalidRunInputError(
      `inference_parameters: ${modelId} refuses temperature and top_p together. Give one of them.`,
    );
  }
  if (parameters.dimensions !== undefined && !EMBEDDING_DIMENSIONS.includes(parameters.dimensions)) {
    throw new InvalidRunInputError(
      `inference_parameters.dimensions is ${parameters.dimensions}; ${adapter.family} gives ${EMBEDDING_DIMENSIONS.join(', ')}.`,
    );
  }
  return adapter;
}
