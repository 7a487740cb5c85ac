import {
  type FoundationModelDetails,
  GetFoundationModelAvailabilityCommand,
  GetFoundationModelCommand,
  GetInferenceProfileCommand,
} from '@aws-sdk/client-bedrock';
import { callAws } from '../bedrock/call-aws.ts';
import { ObjectNotFoundError } from '../core/errors.ts';
import { parseModelId } from '../models/catalog/model-id.ts';
import { type Finding, failed, ok, skipped, warning } from './check.ts';
import type { DoctorWorld } from './doctor-world.ts';

/** Whether the model is there, of today, and this account's to use. */
export async function checkModel(world: DoctorWorld): Promise<Finding> {
  const { bedrock, options } = world;
  const { modelId } = options;
  if (modelId === undefined) return skipped('Not checked: name the model with --model-id.');
  const { baseModelId, profilePrefix } = parseModelId(modelId);
  await world.signedIn();
  const here = await world.region();
  if (profilePrefix !== undefined || modelId.includes(':application-inference-profile/')) {
    const status = await callAws(
      { doing: `look at the inference profile ${modelId}`, action: 'bedrock:GetInferenceProfile' },
      () => bedrock.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: modelId })),
    ).catch((error: Error) => {
      if (error instanceof ObjectNotFoundError || error.name === 'ValidationException') return undefined;
      throw error;
    });
    if (status === undefined) {
      return failed(
        `There is no inference profile ${modelId} in ${here}.`,
        'Check its spelling and the region: profiles of a geography (us., eu., …) are in that geography only.',
      );
    }
  }
  if (baseModelId === undefined) return ok(`${modelId} is there.`);
  const details = await foundationModel(world, baseModelId);
  if (details === undefined) {
    return failed(
      `There is no model ${baseModelId} in ${here}.`,
      'Check its spelling and the region; some models are reached by an inference profile only (us.…, global.…).',
    );
  }
  const availability = await callAws(
    { doing: `ask for access to ${baseModelId}`, action: 'bedrock:GetFoundationModelAvailability' },
    () => bedrock.send(new GetFoundationModelAvailabilityCommand({ modelId: baseModelId })),
  );
  const missing = [
    availability.regionAvailability === 'NOT_AVAILABLE' ? 'it is not available in this region' : undefined,
    availability.agreementAvailability?.status === 'AVAILABLE'
      ? undefined
      : `its agreement is ${availability.agreementAvailability?.status?.toLowerCase().replace('_', ' ') ?? 'unknown'}`,
    availability.entitlementAvailability === 'NOT_AVAILABLE'
      ? 'the account is not entitled to it'
      : undefined,
    availability.authorizationStatus === 'NOT_AUTHORIZED'
      ? 'the account is not authorized for it'
      : undefined,
  ].filter((reason) => reason !== undefined);
  if (missing.length > 0) {
    return failed(
      `${baseModelId} cannot be used in ${here}: ${missing.join(', ')}.`,
      'Let an administrator invoke the model once in this account and region: the first call subscribes to it; Anthropic’s models require a form to be submitted first.',
    );
  }
  if (details.modelLifecycle?.status === 'LEGACY') {
    const end = details.modelLifecycle.endOfLifeTime;
    return warning(
      `${baseModelId} is a legacy model${end === undefined ? '' : `, until ${end.toISOString().slice(0, 10)}`}.`,
      'Choose a newer one for anything that you will run again.',
    );
  }
  return ok(`${details.modelName ?? baseModelId} may be used in ${here}.`);
}

/** What Bedrock tells of a model; undefined where there is none. */
export async function foundationModel(
  { bedrock }: DoctorWorld,
  baseModelId: string,
): Promise<FoundationModelDetails | undefined> {
  return callAws(
    { doing: `look at the model ${baseModelId}`, action: 'bedrock:GetFoundationModel' },
    async () => {
      try {
        const { modelDetails } = await bedrock.send(
          new GetFoundationModelCommand({ modelIdentifier: baseModelId }),
        );
        return modelDetails;
      } catch (error) {
        const { name } = error as Error;
        if (name === 'ResourceNotFoundException' || name === 'ValidationException') return undefined;
        throw error;
      }
    },
  );
}
