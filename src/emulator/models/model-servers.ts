import type { KeyedModelServer, ModelServer } from './model-server.ts';
import { modelServerId } from './model-server.ts';
import { createModelServerClient, type ModelServerClient } from './model-server-client.ts';

/** The model servers that jobs and calls name, and the keys that this process knows. */
export interface ModelServers {
  /** Remembers the key of a server, which is written down nowhere. */
  learn(keyed: KeyedModelServer): void;
  /** Throws MissingKeyError where the server wants a key that this process does not have. */
  clientOf(server: ModelServer): ModelServerClient;
}

/** This process does not have the key of a model server; it may be told later. */
export class MissingKeyError extends Error {}

/** No servers yet; `environment` is where keys are that nobody told. */
export function createModelServers(environment: Readonly<Record<string, string | undefined>>): ModelServers {
  const keys = new Map<string, string>();
  const clients = new Map<string, ModelServerClient>();
  const keyOf = (server: ModelServer): string | undefined => {
    const { url, apiKeyEnv } = server;
    const told = keys.get(modelServerId(server));
    if (told !== undefined || apiKeyEnv === null) return told;
    const key = environment[apiKeyEnv];
    if (key !== undefined && key !== '') return key;
    throw new MissingKeyError(
      `The model server at ${url} wants the key in the environment variable ${apiKeyEnv}, which is not set in this process.`,
    );
  };
  return {
    learn: ({ server, apiKey }) => {
      if (apiKey !== undefined) keys.set(modelServerId(server), apiKey);
    },
    clientOf: (server) => {
      const apiKey = keyOf(server);
      const name = JSON.stringify([server, apiKey]);
      const client = clients.get(name) ?? createModelServerClient(server, apiKey);
      clients.set(name, client);
      return client;
    },
  };
}
