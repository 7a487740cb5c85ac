import { plan } from '../steps/plan/plan.ts';
import { createHandler } from './create-handler.ts';
import { parseEnvironment } from './environment.ts';
import { createHubAccess } from './hub-access.ts';

/** Lambda entry point of the step plan. */
export const handler = createHandler('plan', async (input, deps) => {
  if (!namesHubDataset(input)) return plan(input, deps);
  const { QUARRY_HUGGING_FACE_SECRET_ARN } = parseEnvironment(process.env);
  return plan(input, { ...deps, hub: await createHubAccess(QUARRY_HUGGING_FACE_SECRET_ARN) });
});

/** The token is asked for only where it may be needed. */
function namesHubDataset(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'dataset_id' in input && input.dataset_id !== null;
}
