import { InvalidRunInputError } from '../core/errors.ts';
import { findAdapter } from './adapters/find-adapter.ts';
import type {
  InferenceParameter,
  InferenceParameters,
  ModelAdapter,
  ModelRequest,
} from './adapters/model-adapter.ts';
import { factsOf } from './catalog/model-catalog.ts';
import { parseModelId } from './catalog/model-id.ts';

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
  checkLimits(modelId, parameters);
  return adapter;
}

/** Refuses what the model would refuse for every record. */
function checkLimits(modelId: string, { max_tokens, temperature, top_p }: InferenceParameters): void {
  const facts = factsOf(parseModelId(modelId).baseModelId);
  if (facts === undefined) return;
  const { maxTokens, refuses } = facts;
  if (max_tokens !== undefined && maxTokens !== undefined && max_tokens > maxTokens) {
    throw new InvalidRunInputError(
      `inference_parameters.max_tokens is ${max_tokens}, but ${modelId} refuses more than ${maxTokens}.`,
    );
  }
  if (temperature !== undefined && temperature > (refuses.temperatureOver ?? temperature)) {
    throw new InvalidRunInputError(
      `inference_parameters.temperature is ${temperature}, but ${modelId} refuses more than ${refuses.temperatureOver}.`,
    );
  }
  if (refuses.temperatureWithTopP && temperature !== undefined && top_p !== undefined) {
    throw new InvalidRunInputError(
      `inference_parameters: ${modelId} refuses temperature and top_p together. Give one of them.`,
    );
  }
  if (refuses.sampling && ((temperature ?? 1) !== 1 || (top_p ?? 1) !== 1)) {
    throw new InvalidRunInputError(
      `inference_parameters: ${modelId} refuses any temperature and top_p but 1. Leave them out.`,
    );
  }
}
