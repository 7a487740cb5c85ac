import { PartTurn } from '../core/plan/part.ts';
import { runOnDemand } from '../steps/part/run-on-demand.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step runOnDemand. */
export const handler = createHandler('runOnDemand', (input, deps) =>
  runOnDemand(PartTurn.parse(input), deps),
);
