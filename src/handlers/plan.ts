import { plan } from '../steps/plan.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step plan. */
export const handler = createHandler('plan', plan);
