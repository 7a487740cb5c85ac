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
  /** True where a plan is only drafted, and no run is made. */
  isDraft?: boolean | undefined;
  /** Folder of prompts. */
  prompts: string | undefined;
  /** What models cost, where the run input does not say it. */
  prices: Prices | undefined;
}
