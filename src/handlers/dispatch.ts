import { RunState } from '../steps/run/run-state.ts';
import { dispatch } from '../steps/waves/dispatch.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step dispatch. */
export const handler = createHandler('dispatch', (input, deps) => dispatch(RunState.parse(input), deps));
