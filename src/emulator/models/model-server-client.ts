import pLimit from 'p-limit';
import { z } from 'zod';
import {
  type ChatMessage,
  type EmbeddingRequest,
  type EmulatedAnswer,
  type EmulatedRequest,
  estimateTokens,
  type ModelTraits,
  messagesTokens,
  type Refusal,
  refuse,
  type TextRequest,
} from './model-family.ts';
import type { ModelServer } from './model-server.ts';
import { createJsonPoster, type HttpResult } from './post-json.ts';

/** Asks a model server that speaks OpenAI's protocol. */
export interface ModelServerClient {
  /**
   * One request. An error of the server is a refusal with its HTTP status, `isPassing` where the next try may go well.
   * Rejects where this machine could not even ask.
   */
  answer(request: EmulatedRequest, model: ModelTraits): Promise<EmulatedAnswer | Refusal>;
}

const Usage = z
  .object({ prompt_tokens: z.int().optional(), completion_tokens: z.int().optional() })
  .nullish()
  .transform((usage) => usage ?? {});
const ChatCompletion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }),
        finish_reason: z.string().nullish(),
      }),
    )
    .min(1),
  usage: Usage,
});
const Embeddings = z.object({
  data: z.array(z.object({ embedding: z.array(z.number()) })).min(1),
  usage: Usage,
});

/** Node's names for a machine that has no more files, memory or ports of its own: nobody was asked. */
const OWN_FAULTS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);
/** Statuses that say "later", beside every 5xx. */
const PASSING_STATUSES = new Set([408, 409, 425, 429]);
/** Characters of a server's answer that a message quotes. */
const QUOTED_CHARACTERS = 500;

/** A client of the server, with the key that it wants. */
export function createModelServerClient(server: ModelServer, apiKey: string | undefined): ModelServerClient {
  const { concurrency, timeoutMs } = server;
  const poster = createJsonPoster({ apiKey, concurrency, timeoutMs });
  const limit = pLimit(concurrency);
  return {
    answer: (request, model) =>
      limit(async () => {
        const unsent = refuseUnsent(request);
        if (unsent !== undefined) return unsent;
        const { path, body } = toServerRequest(request, server.model ?? model.baseId);
        try {
          return readServerAnswer(await poster.post(`${server.url}/${path}`, body), request);
        } catch (error) {
          if (OWN_FAULTS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
          return { ...refuse(silence(server, error), 503), isPassing: true };
        }
      }),
  };
}

/** What is posted for a request, and where, below the server's URL. */
export function toServerRequest(request: EmulatedRequest, model: string): { path: string; body: object } {
  switch (request.kind) {
    case 'text':
      return { path: 'chat/completions', body: toChatBody(request, model) };
    case 'embedding':
      return {
        path: 'embeddings',
        body: { model, input: request.text, dimensions: request.dimensions, encoding_format: 'float' },
      };
  }
}

/** The answer that a server gave, or what it said instead. */
export function readServerAnswer(
  { status, text, retryAfterMs }: HttpResult,
  request: EmulatedRequest,
): EmulatedAnswer | Refusal {
  if (status < 200 || status > 299) {
    const isPassing = status >= 500 || PASSING_STATUSES.has(status);
    const refusal = refuse(
      `The model server answered ${status}: ${text.slice(0, QUOTED_CHARACTERS)}`,
      status,
    );
    return isPassing ? { ...refusal, isPassing, retryAfterMs } : refusal;
  }
  const json = parseJson(text);
  switch (request.kind) {
    case 'text': {
      const { success, data } = ChatCompletion.safeParse(json);
      return success ? toTextAnswer(data, request) : notUnderstood(text);
    }
    case 'embedding': {
      const { success, data } = Embeddings.safeParse(json);
      return success ? toEmbeddingAnswer(data, request) : notUnderstood(text);
    }
  }
}

/** What it means that a server gave no answer at all. */
export function silence({ url, timeoutMs }: ModelServer, error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  const why =
    name === 'TimeoutError' || name === 'AbortError' ? `not within ${timeoutMs / 1000} s` : message || code;
  return `The model server at ${url} did not answer: ${why}`;
}

function notUnderstood(text: string): Refusal {
  return refuse(`The model server's answer is not understood: ${text.slice(0, QUOTED_CHARACTERS)}`, 502);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toChatBody(request: TextRequest, model: string): object {
  return {
    model,
    messages: request.messages.map(toChatMessage),
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    stop: request.stopSequences.length > 0 ? request.stopSequences : undefined,
    // https://platform.openai.com/docs/api-reference/chat/create: as vLLM, Ollama and others take it.
    response_format:
      request.schema === undefined
        ? undefined
        : { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: request.schema } },
    stream: false,
  };
}

/** Images as chat completions take them: https://platform.openai.com/docs/guides/images-vision */
function toChatMessage({ role, content, media = [] }: ChatMessage): object {
  if (media.length === 0) return { role, content };
  const images = media.map(({ mediaType, base64 }) => ({
    type: 'image_url',
    image_url: { url: `data:${mediaType};base64,${base64}` },
  }));
  return { role, content: [...images, { type: 'text', text: content }] };
}

/** Why no server is asked; undefined where one is. */
function refuseUnsent(request: EmulatedRequest): Refusal | undefined {
  if (request.kind === 'embedding') {
    return request.isImage
      ? refuse('The model server makes embeddings of texts, and not of images.')
      : undefined;
  }
  const hasDocument = request.messages.some(({ media = [] }) =>
    media.some(({ kind }) => kind === 'document'),
  );
  return hasDocument ? refuse('The model server takes images, and no documents.') : undefined;
}

function toTextAnswer(
  { choices, usage }: z.infer<typeof ChatCompletion>,
  request: TextRequest,
): EmulatedAnswer {
  const choice = choices[0];
  const text = choice?.message.content ?? '';
  return {
    kind: 'text',
    text,
    reasoning: choice?.message.reasoning_content ?? undefined,
    stop: choice?.finish_reason === 'length' ? 'length' : 'end',
    stopSequence: undefined,
    inputTokens: usage.prompt_tokens ?? messagesTokens(request.messages),
    outputTokens: usage.completion_tokens ?? estimateTokens(text),
  };
}

function toEmbeddingAnswer(
  { data, usage }: z.infer<typeof Embeddings>,
  request: EmbeddingRequest,
): EmulatedAnswer {
  const vector = data[0]?.embedding ?? [];
  const length = request.normalize ? Math.hypot(...vector) || 1 : 1;
  return {
    kind: 'embedding',
    vector: vector.map((value) => value / length),
    inputTokens: usage.prompt_tokens ?? estimateTokens(request.text),
  };
}
