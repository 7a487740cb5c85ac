import { InvalidRunInputError } from '../core/errors.ts';
import type { EndpointSettings } from '../targets/local/model-endpoint.ts';
import { type QuarryOptions, spellingOf } from './quarry-options.ts';

/** Options that mean nothing without `modelEndpoint`. */
const DETAILS = ['endpointModel', 'endpointApiKeyEnv', 'endpointConcurrency', 'endpointTimeout'] as const;

/** Who answers, by the options; what they leave open is as `known` has it, if that is the same server. */
export function endpointSettings(
  options: QuarryOptions,
  known: EndpointSettings | undefined,
): EndpointSettings {
  const url = options.modelEndpoint ?? known?.model_endpoint ?? null;
  const before = url === known?.model_endpoint ? known : undefined;
  const stray = DETAILS.find((name) => options[name] !== undefined);
  if (url === null && stray !== undefined) {
    const spell = spellingOf(options);
    throw new InvalidRunInputError(`${spell(stray)} goes with ${spell('modelEndpoint')}, which is missing.`);
  }
  return {
    model_endpoint: url,
    endpoint_model: options.endpointModel ?? before?.endpoint_model ?? null,
    endpoint_api_key_env: options.endpointApiKeyEnv ?? before?.endpoint_api_key_env ?? null,
    endpoint_concurrency: options.endpointConcurrency ?? before?.endpoint_concurrency ?? null,
    endpoint_timeout: options.endpointTimeout ?? before?.endpoint_timeout ?? null,
  };
}
