import type { Prices } from '../../core/run-input/prices.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import type { Tell } from '../quarry-event.ts';
import type { Spelling } from '../quarry-options.ts';

/** What work on a run has, on every target. */
export interface RunWorkOptions {
  files: RunFiles;
  tell: Tell;
  signal: AbortSignal;
  spell: Spelling;
  /** Folder of prompts. */
  prompts: string | undefined;
  /** What models cost, where the run input does not say it. */
  prices: Prices | undefined;
}
