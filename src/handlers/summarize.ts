import { RunState } from '../steps/run/run-state.ts';
import { summarize } from '../steps/run/summarize.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step summarize. */
export const handler = createHandler('summarize', (input, deps) => summarize(RunState.parse(input), deps));
