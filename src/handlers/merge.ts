import { MergeItem } from '../core/plan/part.ts';
import { merge } from '../steps/part/merge.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step merge. */
export const handler = createHandler('merge', (input, deps) => merge(MergeItem.parse(input), deps));
