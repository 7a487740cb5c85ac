import { parseModelId } from '../models/catalog/model-id.ts';

/** Where a model is invoked. */
export interface InvocationPlace {
  partition: string;
  region: string;
  account: string;
}

/** The ARNs that invoking a model touches here, as policies see them. */
export function invokedArns(modelId: string, { partition, region, account }: InvocationPlace): string[] {
  const { baseModelId, profilePrefix } = parseModelId(modelId);
  const bedrock = `arn:${partition}:bedrock:${region}`;
  const model = baseModelId === undefined ? [] : [`${bedrock}::foundation-model/${baseModelId}`];
  if (modelId.startsWith('arn:')) return [...new Set([modelId, ...model])];
  return profilePrefix === undefined
    ? model
    : [`${bedrock}:${account}:inference-profile/${modelId}`, ...model];
}
