import { z } from 'zod';
import type { EmulatedRequest } from './model-family.ts';
import type { KeyedModelServer, ModelServer } from './model-server.ts';
import { readServerAnswer, silence, toServerRequest } from './model-server-client.ts';
import { createJsonPoster, type HttpResult, type JsonPoster } from './post-json.ts';

/** What a server was asked for, and why it cannot be used so. */
export interface ModelServerFault {
  /** Method and URL. */
  tried: string;
  /** What happened, and what to do about it: sentences. */
  message: string;
}

/** Which model is asked, and for what. */
export interface ModelServerTrial {
  /** Sent where the server has no model of its own named. */
  baseId: string;
  produces: 'text' | 'embedding';
}

/** A model loads on its first request, which takes a while. */
const MIN_TRIAL_MS = 120_000;
/** Models that a message lists. */
const LISTED_MODELS = 10;

const Models = z.object({ data: z.array(z.object({ id: z.string() })) });

/** Asks a model server for one token, or one vector; undefined where it gives it. */
export async function checkModelServer(
  { server, apiKey }: KeyedModelServer,
  { baseId, produces }: ModelServerTrial,
): Promise<ModelServerFault | undefined> {
  const poster = createJsonPoster({
    apiKey,
    concurrency: 1,
    timeoutMs: Math.max(server.timeoutMs, MIN_TRIAL_MS),
  });
  const model = server.model ?? baseId;
  const request = trialRequest(produces);
  const { path, body } = toServerRequest(request, model);
  const url = `${server.url}/${path}`;
  const tried = `POST ${url}`;
  try {
    const result = await poster.post(url, body);
    const answer = readServerAnswer(result, request);
    if (answer.kind !== 'refusal') return undefined;
    const asked = { server, apiKey, model, message: answer.errorMessage };
    return { tried, message: await explain(result, asked, poster) };
  } catch (error) {
    return { tried, message: `${silence(server, error)}. Start it, or correct --model-endpoint.` };
  }
}

function trialRequest(produces: ModelServerTrial['produces']): EmulatedRequest {
  return produces === 'embedding'
    ? { kind: 'embedding', text: 'Hi', dimensions: 1024, normalize: true, types: ['float'] }
    : {
        kind: 'text',
        messages: [{ role: 'user', content: 'Hi' }],
        prompt: 'Hi',
        maxTokens: 1,
        temperature: undefined,
        topP: undefined,
        stopSequences: [],
      };
}

interface Asked {
  server: ModelServer;
  apiKey: string | undefined;
  model: string;
  /** What the server said. */
  message: string;
}

async function explain(
  { status, text }: HttpResult,
  { server, apiKey, model, message }: Asked,
  poster: JsonPoster,
): Promise<string> {
  if (status === 401 || status === 403) {
    return apiKey === undefined
      ? `The model server at ${server.url} requires a key: it answered ${status}. Put the key into an environment variable, and name that with --endpoint-api-key-env.`
      : `The model server at ${server.url} does not accept the key in ${server.apiKeyEnv}: it answered ${status}.`;
  }
  const models = status === 404 || status === 400 ? await listModels(server, poster) : undefined;
  if (models !== undefined && !models.includes(model)) {
    const listed = models.slice(0, LISTED_MODELS).join(', ');
    return `The model server at ${server.url} has no model "${model}". It has: ${listed || 'none'}${models.length > LISTED_MODELS ? ', …' : ''}. Name one with --endpoint-model.`;
  }
  const isPage = /^\s*</.test(text);
  if (models === undefined && (status === 404 || status === 405 || isPage || status < 400)) {
    const advice = /\/v1$/.test(server.url)
      ? 'Correct --model-endpoint.'
      : `The paths of most servers begin with /v1: try --model-endpoint ${server.url}/v1.`;
    const said = isPage ? `answered ${status} with a web page` : `answered ${status}: ${text.slice(0, 200)}`;
    return `There is no OpenAI-compatible server at ${server.url}: it ${said.trim().replace(/\.$/, '')}. ${advice}`;
  }
  return `${message.trim().replace(/\.$/, '')}. Asked for model "${model}" at ${server.url}.`;
}

/** The names of the models that a server has; undefined where it does not say. */
async function listModels({ url }: ModelServer, poster: JsonPoster): Promise<string[] | undefined> {
  try {
    const { status, text } = await poster.get(`${url}/models`);
    if (status !== 200) return undefined;
    return Models.parse(JSON.parse(text)).data.map(({ id }) => id);
  } catch {
    return undefined;
  }
}
