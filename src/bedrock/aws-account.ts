import { BedrockClient, GetInferenceProfileCommand } from '@aws-sdk/client-bedrock';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { ObjectNotFoundError } from '../core/errors.ts';
import { factsOf } from '../models/catalog/model-catalog.ts';
import { parseModelId } from '../models/catalog/model-id.ts';
import { readBatchQuotas } from './batch-quotas.ts';
import type { BedrockAccount } from './bedrock-account.ts';
import { callAws } from './call-aws.ts';

/** Attempts for one call, and how long each may take: a plan goes on without what it asks for. */
const PATIENCE = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 3_000, socketTimeout: 8_000 },
} as const;

/** The account of these credentials, behind the AWS SDK. Nothing is asked of it yet. */
export function openAwsAccount(place: { region?: string; profile?: string } = {}): BedrockAccount {
  const options = { ...PATIENCE, ...place };
  return {
    batchQuotas: async (baseModelId) => {
      const client = new ServiceQuotasClient(options);
      try {
        const [providerName = ''] = baseModelId.split('.');
        return await readBatchQuotas(client, {
          modelName: factsOf(baseModelId)?.name ?? baseModelId,
          providerName,
        });
      } finally {
        client.destroy();
      }
    },
    modelBehind: async (profile) => {
      const client = new BedrockClient(options);
      try {
        const { models = [] } = await callAws(
          { doing: `look at the inference profile ${profile}`, action: 'bedrock:GetInferenceProfile' },
          () => client.send(new GetInferenceProfileCommand({ inferenceProfileIdentifier: profile })),
        );
        // One model in several regions.
        const [arn] = models.flatMap(({ modelArn }) => modelArn ?? []);
        return arn === undefined ? undefined : parseModelId(arn).baseModelId;
      } catch (error) {
        if (error instanceof ObjectNotFoundError) return undefined;
        throw error;
      } finally {
        client.destroy();
      }
    },
  };
}
