import { WaveItem } from '../core/plan/part.ts';
import { repack } from '../steps/part/repack.ts';
import { createHandler } from './create-handler.ts';

/** Lambda entry point of the step repack. */
export const handler = createHandler('repack', (input, deps) => repack(WaveItem.parse(input), deps));
