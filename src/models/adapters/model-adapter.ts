import type { RunInput } from '../../core/run-input/run-input.ts';
import type { ModelFacts } from '../catalog/model-facts.ts';
import type { OutputShape } from '../output-shape.ts';

/** The inference parameters of a run input. */
export type InferenceParameters = NonNullable<RunInput['inference_parameters']>;

/** Name of one inference parameter. */
export type InferenceParameter = keyof InferenceParameters;

/** The same for every row of a run. */
export interface ModelRequest {
  systemPrompt: string | undefined;
  parameters: InferenceParameters;
}

/** How Bedrock reads a record. https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html */
export type ModelInvocationType = 'InvokeModel' | 'Converse';

/** What tells which adapter a model has. */
export type AdaptedModel = Pick<ModelFacts, 'id' | 'body' | 'output'>;

/** Quarry's code for one model family. */
export interface ModelAdapter {
  /** For people: messages and docs. */
  family: string;
  /** What ids of the family look like, for people. */
  example: string;
  invocationType: ModelInvocationType;
  /** What may be set; anything else is refused before anything is spent. */
  parameters: readonly InferenceParameter[];
  systemPrompt: boolean;
  /** Lengths of vector that can be asked for; absent where there is no choice. */
  dimensions?: readonly number[];
  /** True where this is the adapter of a model. */
  matches(model: AdaptedModel): boolean;
  /** The body that the model takes. */
  toModelInput(prompt: string, request: ModelRequest): Record<string, unknown>;
  /** Where the model's output has the answer. */
  output: OutputShape;
  /** Where it has it under parameters that make it another kind of answer; absent where none does. */
  outputUnder?(parameters: InferenceParameters): OutputShape;
}

/** Where the output of a model that is asked with these parameters has the answer. */
export function outputOf(adapter: ModelAdapter, parameters: InferenceParameters = {}): OutputShape {
  return adapter.outputUnder?.(parameters) ?? adapter.output;
}

/** Tokens an answer may have where the run input does not say. */
export const DEFAULT_MAX_TOKENS = 1024;
