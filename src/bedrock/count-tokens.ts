import {
  BedrockRuntimeClient,
  CountTokensCommand,
  type CountTokensInput,
  ValidationException,
} from '@aws-sdk/client-bedrock-runtime';
import pLimit from 'p-limit';
import type { ModelInvocationType } from '../models/adapters/model-adapter.ts';
import { parseModelId } from '../models/catalog/model-id.ts';
import { callAws } from './call-aws.ts';

/** Input tokens of each body, which are not sent to the model; undefined where Bedrock has no count for the model. */
export type CountTokens = (
  modelId: string,
  type: ModelInvocationType,
  modelInputs: readonly unknown[],
) => Promise<number[] | undefined>;

const CONCURRENT_CALLS = 8;

/** Attempts for one call, and how long each may take: a plan counts in another way where nobody answers. */
const PATIENCE = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, socketTimeout: 8_000 },
} as const;

/**
 * Counts by the API CountTokens, with these credentials. It takes foundation models by their own ids, and no inference profile.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html
 */
export function createTokenCounter(place: { region?: string; profile?: string } = {}): CountTokens {
  return async (modelId, type, modelInputs) => {
    const client = new BedrockRuntimeClient({ ...PATIENCE, ...place });
    const { baseModelId } = parseModelId(modelId);
    const ask = async (modelInput: unknown): Promise<number> => {
      const command = new CountTokensCommand({ modelId: baseModelId, input: inputOf(type, modelInput) });
      const { inputTokens = 0 } = await client.send(command);
      return inputTokens;
    };
    try {
      return await callAws(
        { doing: `count the tokens of records for ${baseModelId}`, action: 'bedrock:CountTokens' },
        async () => {
          const [first, ...others] = modelInputs;
          if (first === undefined) return [];
          // One says whether the model has it at all.
          const one = await ask(first).catch(unlessRefused);
          if (one === undefined) return undefined;
          return [one, ...(await pLimit(CONCURRENT_CALLS).map(others, ask))];
        },
      );
    } finally {
      client.destroy();
    }
  };
}

/** A model without a count, or one that takes no such body. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof ValidationException)) throw error;
  return undefined;
}

function inputOf(type: ModelInvocationType, modelInput: unknown): CountTokensInput {
  if (type === 'InvokeModel') {
    return { invokeModel: { body: new TextEncoder().encode(JSON.stringify(modelInput)) } };
  }
  // What decides the answer alone is nothing that Converse counts.
  const { messages, system, toolConfig, additionalModelRequestFields } = modelInput as Record<string, never>;
  return { converse: { messages, system, toolConfig, additionalModelRequestFields } };
}
