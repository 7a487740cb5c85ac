import { CollectInput, collect } from '../steps/part/collect.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step collect. */
export const handler = createHandler('collect', (input, deps) => collect(CollectInput.parse(input), deps));
