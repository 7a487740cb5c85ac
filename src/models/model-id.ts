import { InvalidRunInputError } from '../core/errors.ts';

/** Geography prefixes of cross-region inference profiles. */
const PROFILE_PREFIXES = ['us', 'eu', 'apac', 'jp', 'au', 'ca', 'sa', 'us-gov', 'global'] as const;

/** A model id taken apart. */
export interface ModelIdentity {
  /** As the user wrote it; what Bedrock is called with. */
  modelId: string;
  /** `provider.model` without geography and ARN; undefined where an ARN does not tell (application profiles, custom models). */
  baseModelId: string | undefined;
  /** Geography of a cross-region inference profile. */
  profilePrefix: string | undefined;
}

const ARN_PATTERN = /^arn:aws(?:-[a-z]+)*:bedrock:[a-z0-9-]+:(?:\d{12})?:([a-z-]+)\/(.+)$/;
const BASE_MODEL_PATTERN = /^[a-z][a-z0-9-]*\.[a-zA-Z0-9][a-zA-Z0-9.:_-]*$/;

/** Takes a plain id, an inference profile id or an ARN apart; throws InvalidRunInputError for anything else. */
export function parseModelId(modelId: string): ModelIdentity {
  const arn = ARN_PATTERN.exec(modelId);
  if (arn !== null) {
    const [, resource = '', name = ''] = arn;
    switch (resource) {
      case 'foundation-model':
      case 'inference-profile':
        return { ...splitProfile(name), modelId };
      case 'application-inference-profile':
      case 'custom-model':
      case 'custom-model-deployment':
      case 'imported-model':
        return { modelId, baseModelId: undefined, profilePrefix: undefined };
      default:
        throw new InvalidRunInputError(
          `model_id "${modelId}" is the ARN of a ${resource}, which batch inference does not take. Use a foundation model, an inference profile or a custom model.`,
        );
    }
  }
  const identity = splitProfile(modelId);
  if (modelId.startsWith('arn:') || identity.baseModelId === undefined) {
    throw new InvalidRunInputError(
      `model_id "${modelId}" is not a Bedrock model id. Write provider.model (anthropic.claude-3-haiku-20240307-v1:0), an inference profile (us.anthropic.…, global.…) or an ARN.`,
    );
  }
  return { ...identity, modelId };
}

function splitProfile(name: string): ModelIdentity {
  const profilePrefix = PROFILE_PREFIXES.find((prefix) => name.startsWith(`${prefix}.`));
  const base = profilePrefix === undefined ? name : name.slice(profilePrefix.length + 1);
  return { modelId: name, baseModelId: BASE_MODEL_PATTERN.test(base) ? base : undefined, profilePrefix };
}
