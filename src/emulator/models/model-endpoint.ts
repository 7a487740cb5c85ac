import pLimit from 'p-limit';
import { z } from 'zod';
import {
  type EmbeddingRequest,
  type EmulatedAnswer,
  type EmulatedRequest,
  estimateTokens,
  type ModelTraits,
  type Refusal,
  refuse,
  type TextRequest,
} from './model-family.ts';

/** A model server that speaks OpenAI's protocol. */
export interface ModelEndpoint {
  /** An error of the server is a refusal with its HTTP status. */
  answer(request: EmulatedRequest, model: ModelTraits): Promise<EmulatedAnswer | Refusal>;
}

/** Where the server is and what it serves. */
export interface ModelEndpointOptions {
  /** Ends in `/v1`, as a rule. */
  url: string;
  /** The server's own name of the model. @default the base model id */
  modelName?: string | undefined;
  /** Requests in flight at once, over all jobs. @default 4 */
  maxInFlight?: number;
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

/** A client of the server at `url`. */
export function createModelEndpoint({
  url,
  modelName,
  maxInFlight = 4,
}: ModelEndpointOptions): ModelEndpoint {
  const base = url.replace(/\/+$/, '');
  const limit = pLimit(maxInFlight);

  const post = async <T>(path: string, body: object, schema: z.ZodType<T>): Promise<T | Refusal> => {
    try {
      const response = await fetch(`${base}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      if (!response.ok)
        return refuse(`The model server answered ${response.status}: ${text.slice(0, 500)}`, response.status);
      const parsed = schema.safeParse(JSON.parse(text));
      return parsed.success
        ? parsed.data
        : refuse(`The model server's answer is not understood: ${parsed.error.message}`, 502);
    } catch (error) {
      return refuse(`The model server at ${base} did not answer: ${causeOf(error)}`, 503);
    }
  };

  return {
    answer: (request, model) =>
      limit(async () => {
        const name = modelName ?? model.baseId;
        switch (request.kind) {
          case 'text': {
            const completion = await post('chat/completions', toChatBody(request, name), ChatCompletion);
            return isRefusal(completion) ? completion : toTextAnswer(completion, request);
          }
          case 'embedding': {
            const body = {
              model: name,
              input: request.text,
              dimensions: request.dimensions,
              encoding_format: 'float',
            };
            const embeddings = await post('embeddings', body, Embeddings);
            return isRefusal(embeddings) ? embeddings : toEmbeddingAnswer(embeddings, request);
          }
        }
      }),
  };
}

function isRefusal(value: object): value is Refusal {
  return 'kind' in value && value.kind === 'refusal';
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function toChatBody(request: TextRequest, model: string): object {
  return {
    model,
    messages: request.messages,
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    stop: request.stopSequences.length > 0 ? request.stopSequences : undefined,
    stream: false,
  };
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
    inputTokens:
      usage.prompt_tokens ?? request.messages.reduce((sum, { content }) => sum + estimateTokens(content), 0),
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
