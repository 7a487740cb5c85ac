import { dispatch } from '../steps/dispatch.ts';
import { RunState } from '../steps/run-state.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step dispatch. */
export const handler = createHandler('dispatch', (input, deps) => dispatch(RunState.parse(input), deps));
