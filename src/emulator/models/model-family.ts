import type { JsonSchema } from '../../core/run-input/output-schema.ts';
import type { JsonObject } from '../../core/text/json-value.ts';
import type { ModelFacts, Refusals, Thinking } from '../../models/catalog/model-facts.ts';
import type { ShownMedia } from './shown-media.ts';

/** One message of a chat, its text blocks joined. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
  /** Images and documents that it shows. */
  media?: readonly ShownMedia[];
}

/** A request for text, whatever family's body it came in. */
export interface TextRequest {
  kind: 'text';
  messages: ChatMessage[];
  /** The last user message, without a family's special tokens. */
  prompt: string;
  maxTokens: number | undefined;
  temperature: number | undefined;
  topP: number | undefined;
  stopSequences: string[];
  /** What the answer is held to; undefined where nothing holds it. */
  schema?: JsonSchema | undefined;
  /** True where the model thinks before it answers. */
  thinks?: boolean;
}

/** A request for one vector. */
export interface EmbeddingRequest {
  kind: 'embedding';
  text: string;
  dimensions: number;
  normalize: boolean;
  types: ('float' | 'binary')[];
  /** True where it is of an image, which `text` names. */
  isImage?: true;
  /** Tokens, where `text` does not tell them. */
  inputTokens?: number;
  /** Characters that are left of a text that was too long. */
  truncatedTo?: number;
}

/** A record or call that gets an error for an answer: data, never thrown. */
export interface Refusal {
  kind: 'refusal';
  /** An HTTP status. */
  errorCode: number;
  errorMessage: string;
  /** True where a model server says that the next try may go well. */
  isPassing?: boolean;
  /** Milliseconds that the server asks to wait before that. */
  retryAfterMs?: number | undefined;
}

/** A text that a model gave. */
export interface TextAnswer {
  kind: 'text';
  text: string;
  /** What a reasoning model thought first; undefined for the others. */
  reasoning: string | undefined;
  stop: 'end' | 'length' | 'stop-sequence';
  stopSequence: string | undefined;
  inputTokens: number;
  outputTokens: number;
}

/** A vector that a model gave. */
export interface EmbeddingAnswer {
  kind: 'embedding';
  vector: number[];
  inputTokens: number;
}

/** What a family's body asks for. */
export type EmulatedRequest = TextRequest | EmbeddingRequest;

/** What a model gave. */
export type EmulatedAnswer = TextAnswer | EmbeddingAnswer;

/** What a family has to know of the model in order to judge a body. */
export interface ModelTraits {
  /** The id as the caller gave it; the last part of an ARN. */
  label: string;
  /** The id without a geographic prefix. */
  baseId: string;
  /** Most output tokens that a body may ask for; undefined where unknown. */
  maxOutputTokens: number | undefined;
  /** Tokens of the context window; undefined where unknown. */
  contextTokens: number | undefined;
  thinking: Thinking;
  /** What it reads beside text. */
  reads: ModelFacts['reads'];
  /** It can be held to a JSON Schema by a field of its body. */
  structuredOutput: boolean;
  /** What it answers with an error. */
  refuses: Refusals;
}

/** Where and when an answer is written. */
export interface AnswerContext {
  model: ModelTraits;
  request: EmulatedRequest;
  /** A digest of the body, for ids inside the answer; worked out only where a family has ids. */
  digest: () => string;
  atMs: number;
  inBatch: boolean;
}

/** One form of request and answer bodies. */
export interface ModelFamily {
  readRequest(body: JsonObject, model: ModelTraits, inBatch: boolean): EmulatedRequest | Refusal;
  writeAnswer(answer: EmulatedAnswer, context: AnswerContext): JsonObject;
}

/** A refusal with code 400, as a model gives for a body that it does not understand. */
export function refuse(errorMessage: string, errorCode = 400): Refusal {
  return { kind: 'refusal', errorCode, errorMessage };
}

/** Amazon's own models word a schema error in this way. */
export function malformed(detail: string): Refusal {
  return refuse(`Malformed input request: ${detail}, please reformat your input and try again.`);
}

/** The first key of `body` that is not among `known`. */
export function extraKeyOf(body: JsonObject, known: ReadonlySet<string>): string | undefined {
  for (const key in body) if (!known.has(key)) return key;
  return undefined;
}

/** True for a text of white space alone, and for an empty one. */
export function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** A number, or undefined for anything else. */
export function numberOr(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The strings of a list; nothing for anything else. */
export function stringsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** About four characters are one token; at least one. */
export function estimateTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** Tokens of a conversation. */
export function messagesTokens(messages: readonly ChatMessage[]): number {
  return messages.reduce(
    (sum, { content, media = [] }) =>
      media.reduce((tokens, shown) => tokens + shown.tokens, sum + estimateTokens(content)),
    0,
  );
}

/** The content of the last user message. */
export function lastUserContent(messages: ChatMessage[]): string {
  return messages.findLast((message) => message.role === 'user')?.content ?? '';
}
