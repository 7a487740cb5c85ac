import { InvalidRunInputError } from '../../core/errors.ts';
import { type KeyedModelServer, modelServerOf } from '../../emulator/models/model-server.ts';
import { checkModelServer, type ModelServerTrial } from '../../emulator/models/model-server-check.ts';
import { factsOf } from '../../models/catalog/model-catalog.ts';
import { splitProfile } from '../../models/catalog/model-id.ts';
import type { LocalRunTarget } from '../../runs/run-target.ts';

/** The part of a local target that says who answers. */
export type EndpointSettings = Pick<
  LocalRunTarget,
  'model_endpoint' | 'endpoint_model' | 'endpoint_api_key_env' | 'endpoint_concurrency' | 'endpoint_timeout'
>;

/** The model server that a target names, with its key as far as this process has it; undefined for the simulated model. */
export function modelServerOfTarget(
  target: EndpointSettings,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): KeyedModelServer | undefined {
  const { model_endpoint: url, endpoint_model: model, endpoint_api_key_env: apiKeyEnv } = target;
  if (url === null) return undefined;
  const apiKey = apiKeyEnv === null ? undefined : environment[apiKeyEnv] || undefined;
  try {
    const server = modelServerOf({
      url,
      model,
      apiKeyEnv,
      ...(target.endpoint_concurrency === null ? {} : { concurrency: target.endpoint_concurrency }),
      ...(target.endpoint_timeout === null
        ? {}
        : { timeoutMs: Math.max(1, Math.round(target.endpoint_timeout * 1000)) }),
    });
    return apiKey === undefined ? { server } : { server, apiKey };
  } catch (error) {
    throw new InvalidRunInputError(
      `--model-endpoint "${url}" is not an HTTP URL. Write it like http://localhost:11434/v1.`,
      { cause: error },
    );
  }
}

/** Asks the server for one token of the model that a run is for; throws InvalidRunInputError where it does not give it. */
export async function requireModelServer(
  keyed: KeyedModelServer,
  modelId: string | undefined,
): Promise<void> {
  const { apiKeyEnv } = keyed.server;
  if (apiKeyEnv !== null && keyed.apiKey === undefined) {
    throw new InvalidRunInputError(
      `--endpoint-api-key-env ${apiKeyEnv}: there is no such environment variable, or it is empty. Nothing was sent.`,
    );
  }
  const fault = await checkModelServer(keyed, trialOf(modelId ?? ''));
  if (fault === undefined) return;
  throw new InvalidRunInputError(`${fault.message} Tried: ${fault.tried}. Nothing was sent.`);
}

function trialOf(modelId: string): ModelServerTrial {
  const baseId = splitProfile(modelId.slice(modelId.lastIndexOf('/') + 1)).rest;
  return { baseId, produces: factsOf(baseId)?.output === 'embedding' ? 'embedding' : 'text' };
}
