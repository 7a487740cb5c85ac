import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { systemClock } from '../core/clock.ts';
import { AccessDeniedError, ServiceUnavailableError } from '../core/errors.ts';
import { faultKindOf, type ServiceFault } from '../core/jobs/service-fault.ts';
import type { StepDeps } from '../steps/deps.ts';

type HubAccess = NonNullable<StepDeps['hub']>;

/** The public Hub, unless `HF_ENDPOINT` names another. */
const HUB_ENDPOINT = 'https://huggingface.co';

/** The Hugging Face Hub, with the token of the secret where the stack was given one. */
export async function createHubAccess(secretArn: string | undefined): Promise<HubAccess> {
  return {
    endpoint: process.env.HF_ENDPOINT || HUB_ENDPOINT,
    token: secretArn === undefined ? undefined : await readToken(secretArn),
    fetch,
    clock: systemClock,
    random: Math.random,
  };
}

async function readToken(secretArn: string): Promise<string> {
  try {
    const { SecretString } = await new SecretsManagerClient().send(
      new GetSecretValueCommand({ SecretId: secretArn }),
    );
    const token = SecretString?.trim();
    if (token) return token;
  } catch (error) {
    const { message } = error as Error;
    const text = `Could not read the Hugging Face token from ${secretArn}: ${message}`;
    const kind = faultKindOf(error as ServiceFault);
    if (kind === 'unavailable' || kind === 'throttled') {
      throw new ServiceUnavailableError(text, { cause: error });
    }
    throw new AccessDeniedError(text, { cause: error });
  }
  throw new AccessDeniedError(
    `The secret ${secretArn} is empty. Put the Hugging Face token into it as plain text.`,
  );
}
