import { PrepareInput, prepare } from '../steps/part/prepare.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step prepare. */
export const handler = createHandler('prepare', (input, deps) => prepare(PrepareInput.parse(input), deps));
