import { z } from 'zod';
import { digestOf } from '../faults/seeded-random.ts';

/** An OpenAI-compatible server that answers instead of the simulated model; as it is written down, so without its key. */
export const ModelServer = z.object({
  /** Ends in `/v1`, as a rule, and never in a slash. */
  url: z.string(),
  /** The server's own name of the model; null = the base model id. */
  model: z.string().nullable(),
  /** The environment variable that holds its key; null = it wants none. */
  apiKeyEnv: z.string().nullable(),
  /** Requests in flight at once. */
  concurrency: z.int().min(1),
  timeoutMs: z.int().min(1),
});
/** An OpenAI-compatible server that answers instead of the simulated model. */
export type ModelServer = z.infer<typeof ModelServer>;

/** Kind to a server that has one GPU, or none. */
const DEFAULT_CONCURRENCY = 4;
/** A small machine takes minutes for a long answer. */
const DEFAULT_TIMEOUT_MS = 300_000;

/** A server with defaults for all that is left open; throws a TypeError where the URL is not one of HTTP. */
export function modelServerOf({
  url,
  ...settings
}: Pick<ModelServer, 'url'> & Partial<ModelServer>): ModelServer {
  const { protocol } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`"${url}" is not a URL of HTTP.`);
  return {
    model: null,
    apiKeyEnv: null,
    concurrency: DEFAULT_CONCURRENCY,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    ...settings,
    url: url.replace(/\/+$/, ''),
  };
}

/** Names the answers: the same server and model are the same, however they are called. */
export function modelServerId({ url, model, apiKeyEnv }: ModelServer): string {
  return digestOf(JSON.stringify([url, model, apiKeyEnv]));
}

/** Header by which a client of the emulator says who is to answer its calls and jobs. */
export const MODEL_SERVER_HEADER = 'x-quarry-model-server';

const Header = z.object({ server: ModelServer, apiKey: z.string().optional() });

/** A server with its key, which is never written down. */
export type KeyedModelServer = z.infer<typeof Header>;

/** The header's value. */
export function encodeModelServer(keyed: KeyedModelServer): string {
  return Buffer.from(JSON.stringify(keyed)).toString('base64url');
}

/** Reads the header; undefined where it says nothing that is understood. */
export function decodeModelServer(text: string): KeyedModelServer | undefined {
  try {
    return Header.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return undefined;
  }
}
