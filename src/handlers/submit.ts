import { PartTurn } from '../core/plan/part.ts';
import { submit } from '../steps/part/submit.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step submit. */
export const handler = createHandler('submit', (input, deps) => submit(PartTurn.parse(input), deps));
