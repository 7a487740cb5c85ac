import type { BudgetMode } from '../../core/run/budget.ts';
import type { FollowOptions, Run } from './run.ts';

/** How a run is made. */
export interface RunOptions extends FollowOptions {
  /**
   * Where the results are put at the end: a folder, which is empty or of the same run, or one file that ends in `.parquet`, `.csv`
   * or `.jsonl`. `resume` remembers it.
   */
  output?: string | undefined;
}

/** How a run goes on. */
export interface ResumeOptions extends FollowOptions {
  /** Spend no more than this from now on, in all, in US dollars. */
  maxCostUsd?: number | undefined;
  /** What the next part is held against that limit at, from now on. */
  budgetMode?: BudgetMode | undefined;
  /** Hours after which Bedrock ends a job from now on, 24 to 168. */
  timeoutHours?: number | undefined;
  /** Send a row so often at most from now on. */
  maxAttempts?: number | undefined;
  /** Send the records of jobs again whose paid answers are lost for good, and pay for them again. */
  resendMissing?: boolean | undefined;
  /** Where the results are put at the end. @default where the run was to put them */
  output?: string | undefined;
}

/** How a run is cancelled. */
export interface CancelOptions extends FollowOptions {
  /** aws: stop the execution too, and collect nothing yet. */
  now?: boolean | undefined;
}

/** Which run: itself, or its id. */
export type RunName = Run<unknown> | string;
