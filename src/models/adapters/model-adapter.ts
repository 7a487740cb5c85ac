import type { JsonSchema } from '../../core/run-input/output-schema.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { ModelFacts } from '../catalog/model-facts.ts';
import type { MediaBlock, MediaSupport } from '../media.ts';
import type { OutputShape } from '../output-shape.ts';
import type { ThinkingForm } from '../thinking.ts';

/** The inference parameters of a run input. */
export type InferenceParameters = NonNullable<RunInput['inference_parameters']>;

/** Name of one inference parameter. */
export type InferenceParameter = keyof InferenceParameters;

/** One turn of the conversation that a record is. */
export interface ConversationTurn {
  role: 'user' | 'assistant';
  text: string;
  /** What the text is about, before it. */
  media?: readonly MediaBlock[] | undefined;
}

/** The same for every row of a run. */
export interface ModelRequest {
  systemPrompt: string | undefined;
  parameters: InferenceParameters;
  /** Turns before the prompt: examples of what is asked and of how it is answered. */
  turns?: readonly ConversationTurn[] | undefined;
  /** What the model is told of thinking; undefined where nothing is said of it. */
  thinking?: ThinkingForm | undefined;
  /** What a field of the body holds answers to; undefined where none does. */
  schema?: JsonSchema | undefined;
  /** Images and documents of the prompt. */
  media?: readonly MediaBlock[] | undefined;
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
  /** What the body takes beside text; absent where it takes nothing. Whether a model reads it, the catalogue says. */
  media?: MediaSupport;
  /** True where this is the adapter of a model. */
  matches(model: AdaptedModel): boolean;
  /** The body that the model takes. Embeddings of an image alone have no prompt. */
  toModelInput(prompt: string, request: ModelRequest): Record<string, unknown>;
  /** Text models: a turn of the conversation, as the body's `messages` have it. */
  turn?(turn: ConversationTurn): Record<string, unknown>;
  /** Keys from the body's root to what holds answers to a schema; absent where nothing does. */
  schemaField?: readonly string[];
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

/** The name that families want of a schema. */
export const SCHEMA_NAME = 'answer';
