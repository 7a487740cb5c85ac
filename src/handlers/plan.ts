import { openAwsAccount } from '../bedrock/aws-account.ts';
import { loadTokenizer } from '../models/tokenizer.ts';
import { plan } from '../steps/plan/plan.ts';
import { createHandler } from './create-handler.ts';
import { parseEnvironment } from './environment.ts';
import { createHubAccess } from './hub-access.ts';

/** Lambda entry point of the step plan: the one that asks the account for its quotas, and what a profile is of. */
export const handler = createHandler('plan', async (input, deps) => {
  const { region } = deps.settings;
  const world = {
    ...deps,
    account: openAwsAccount(region === undefined ? {} : { region }),
    tokenizer: loadTokenizer,
  };
  if (!namesHubDataset(input)) return plan(input, world);
  const { QUARRY_HUGGING_FACE_SECRET_ARN } = parseEnvironment(process.env);
  return plan(input, { ...world, hub: await createHubAccess(QUARRY_HUGGING_FACE_SECRET_ARN) });
});

/** The token is asked for only where it may be needed. */
function namesHubDataset(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'dataset_id' in input && input.dataset_id !== null;
}
