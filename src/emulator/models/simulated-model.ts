import { type JsonSchema, schemaInPrompt } from '../../core/run-input/output-schema.ts';
import { createRandom, digestOf, hash32 } from '../faults/seeded-random.ts';
import {
  type EmbeddingAnswer,
  type EmbeddingRequest,
  type EmulatedAnswer,
  type EmulatedRequest,
  estimateTokens,
  type ModelTraits,
  messagesTokens,
  type TextAnswer,
  type TextRequest,
} from './model-family.ts';
import type { ShownMedia } from './shown-media.ts';
import { simulatedObject } from './simulated-object.ts';

const QUOTED_CHARACTERS = 60;
const SIMULATED_REASONING = '[simulated reasoning] The prompt asks for something, so it gets an answer.';

/**
 * The whole text that the simulated model answers to a prompt: plainly labelled, and proof of the prompt that it
 * belongs to.
 */
export function simulatedAnswer(modelId: string, prompt: string): string {
  const beginning = prompt
    .slice(0, QUOTED_CHARACTERS)
    .replace(/[\s\p{C}]+/gu, ' ')
    .trim();
  return `[simulated ${modelId.slice(modelId.lastIndexOf('/') + 1)}] The prompt has ${prompt.length} characters, begins "${beginning}" and has the digest ${digestOf(prompt)}.`;
}

/** The vector that the simulated model gives for a text: from its digest, of length 1 when normalised. */
export function simulatedEmbedding(
  modelId: string,
  text: string,
  { dimensions = 1024, normalize = true } = {},
): number[] {
  const random = createRandom(hash32(`${modelId.slice(modelId.lastIndexOf('/') + 1)}\n${text}`));
  const vector = new Array<number>(dimensions);
  let squares = 0;
  for (let index = 0; index < dimensions; index += 1) {
    const value = random() * 2 - 1;
    vector[index] = value;
    squares += value * value;
  }
  const length = normalize ? Math.sqrt(squares) : 1;
  // Nine decimals: as many as the real model prints, and quick to print.
  for (let index = 0; index < dimensions; index += 1) {
    vector[index] = Math.round(((vector[index] ?? 0) / length) * 1e9) / 1e9;
  }
  return vector;
}

/** Answers a request as a pure function of the model and the request. */
export function simulate(request: EmulatedRequest, model: ModelTraits): EmulatedAnswer {
  switch (request.kind) {
    case 'text':
      return simulateText(request, model);
    case 'embedding':
      return simulateEmbedding(request, model);
  }
}

function simulateEmbedding(request: EmbeddingRequest, model: ModelTraits): EmbeddingAnswer {
  return {
    kind: 'embedding',
    vector: simulatedEmbedding(model.label, request.text, request),
    inputTokens: request.inputTokens ?? estimateTokens(request.text),
  };
}

/** The schema that the conversation asks for, in its latest message that tells one. */
function schemaToldIn({ messages, prompt }: TextRequest): JsonSchema | undefined {
  const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
  for (const text of [prompt, ...said.toReversed()]) {
    const schema = schemaInPrompt(text);
    if (schema !== undefined) return schema;
  }
  return undefined;
}

/** What a prompt shows, as proof that it was seen: nobody has looked at it. */
function aboutMedia(shown: readonly ShownMedia[]): string {
  return shown
    .map(
      ({ kind, about, digest }) =>
        ` It shows ${kind === 'image' ? 'an image' : 'a document'} (${about}) with the digest ${digest}.`,
    )
    .join('');
}

function simulateText(request: TextRequest, model: ModelTraits): TextAnswer {
  const inputTokens = messagesTokens(request.messages);
  let tokensLeft = request.maxTokens ?? Number.POSITIVE_INFINITY;
  const cut = (text: string) => {
    const kept = estimateTokens(text) > tokensLeft ? text.slice(0, tokensLeft * 4) : text;
    tokensLeft -= kept === '' ? 0 : estimateTokens(kept);
    return kept;
  };
  const reasoning = request.thinks === true ? cut(SIMULATED_REASONING) : undefined;
  const schema = request.schema ?? schemaToldIn(request);
  const shown = request.messages.flatMap(({ media = [] }) => media);
  const digests = shown.map(({ digest }) => digest);
  const whole =
    schema === undefined
      ? `${simulatedAnswer(model.label, request.prompt)}${aboutMedia(shown)}`
      : JSON.stringify(simulatedObject(schema, hash32([model.label, request.prompt, ...digests].join('\n'))));
  const stopSequence = request.stopSequences.find((sequence) => sequence !== '' && whole.includes(sequence));
  const wanted = stopSequence === undefined ? whole : whole.slice(0, whole.indexOf(stopSequence));
  const text = cut(wanted);
  const isCut = text.length < wanted.length;
  return {
    kind: 'text',
    text,
    reasoning,
    stop: isCut ? 'length' : stopSequence === undefined ? 'end' : 'stop-sequence',
    stopSequence: isCut ? undefined : stopSequence,
    inputTokens,
    outputTokens: [reasoning ?? '', text].reduce(
      (sum, part) => sum + (part === '' ? 0 : estimateTokens(part)),
      0,
    ),
  };
}
