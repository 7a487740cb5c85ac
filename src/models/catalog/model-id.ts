import { InvalidRunInputError } from '../../core/errors.ts';
import { didYouMeanModel } from './models-like.ts';

/**
 * Geography prefix of a cross-region inference profile: `us.`, `eu.`, `jp.`, `us-gov.`, `apac.`, `global.`, …
 * No provider has a name of two letters, so a new geography needs no change here.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
 */
const PROFILE_PATTERN = /^(global|apac|[a-z]{2}(?:-gov)?)\.(?=[a-z0-9-]+\.)/;

/** A model id taken apart. */
export interface ModelIdentity {
  /** As the user wrote it; what Bedrock is called with. */
  modelId: string;
  /** `provider.model` without geography and ARN; undefined where an ARN does not tell (application profiles, custom models). */
  baseModelId: string | undefined;
  /** Geography of a cross-region inference profile. */
  profilePrefix: string | undefined;
}

// The region of a global profile's model is empty.
const ARN_PATTERN = /^arn:aws(?:-[a-z]+)*:bedrock:[a-z0-9-]*:(?:\d{12})?:([a-z-]+)\/(.+)$/;
const BASE_MODEL_PATTERN = /^[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9.:-]*$/;
/**
 * What CreateModelInvocationJob takes as an id that is no ARN: after a geography, no version with a dot.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
 */
const BEDROCK_ID_PATTERN =
  /^[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}(?:\.?[a-z0-9-]{1,63})(?::[a-z0-9-]{1,63}){0,2}$/;

/** Takes a plain id, an inference profile id or an ARN apart; throws InvalidRunInputError for anything else. */
export function parseModelId(modelId: string, key: 'model_id' | 'base_model_id' = 'model_id'): ModelIdentity {
  const arn = ARN_PATTERN.exec(modelId);
  if (arn !== null) {
    const [, resource = '', name = ''] = arn;
    switch (resource) {
      case 'foundation-model':
      case 'inference-profile': {
        const identity = identityOf(name);
        if (identity.baseModelId === undefined) throw notAModelId(modelId, key);
        return { ...identity, modelId };
      }
      case 'application-inference-profile':
      case 'custom-model':
        return { modelId, baseModelId: undefined, profilePrefix: undefined };
      default:
        throw new InvalidRunInputError(
          `${key} "${modelId}" is the ARN of ${/^[aeiou]/.test(resource) ? 'an' : 'a'} ${resource}, which batch inference does not take. Use a foundation model, an inference profile or a custom model.`,
        );
    }
  }
  const identity = identityOf(modelId);
  if (identity.baseModelId === undefined) throw notAModelId(modelId, key);
  if (BEDROCK_ID_PATTERN.test(modelId)) return identity;
  if (identity.profilePrefix === undefined) throw notAModelId(modelId, key);
  throw new InvalidRunInputError(
    `${key} "${modelId}" has more dots than Bedrock takes in the model id of a batch job. Give the ARN of this inference profile instead: arn:aws:bedrock:…:inference-profile/${modelId}.`,
  );
}

function notAModelId(modelId: string, key: string): InvalidRunInputError {
  return new InvalidRunInputError(
    `${key} "${modelId}" is not a Bedrock model id. Write provider.model (anthropic.claude-3-haiku-20240307-v1:0), an inference profile (us.anthropic.…, global.…) or an ARN.${didYouMeanModel(modelId)}`,
  );
}

function identityOf(name: string): ModelIdentity {
  const { prefix, rest } = splitProfile(name);
  return {
    modelId: name,
    baseModelId: BASE_MODEL_PATTERN.test(rest) ? rest : undefined,
    profilePrefix: prefix,
  };
}

/** A geography and what stands behind it, of an id or of a pattern such as `eu.anthropic.*`. */
export function splitProfile(name: string): { prefix: string | undefined; rest: string } {
  const prefix = PROFILE_PATTERN.exec(name)?.[1];
  return { prefix, rest: prefix === undefined ? name : name.slice(prefix.length + 1) };
}
