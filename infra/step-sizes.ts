import type { StepName } from '../src/workflow/definition.ts';

/** What a step's function is given. */
export interface StepSize {
  /** Entry point below src/handlers. */
  file: string;
  description: string;
  /** 3008 MB is the most that a new account may have. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  memoryMb: number;
  /** Size of /tmp; 512 MB cost nothing. */
  diskMb: number;
  /** True where the step reads or writes rows: DuckDB goes beside the bundle. */
  duckDb: boolean;
}

const MAX_DISK_MB = 10_240;
const SMALL = { memoryMb: 512, diskMb: 512, duckDb: false };

/** The functions, each fitted to its step: DuckDB takes up to 1 GB beside Node, and whole files go to /tmp. */
export const STEP_SIZES: Readonly<Record<StepName, StepSize>> = {
  plan: {
    file: 'plan.ts',
    description: 'Validates a run input, counts and packs the rows.',
    memoryMb: 3008,
    diskMb: MAX_DISK_MB,
    duckDb: true,
  },
  prepare: {
    file: 'prepare.ts',
    description: 'Renders the records of the parts of one slice.',
    memoryMb: 3008,
    diskMb: MAX_DISK_MB,
    duckDb: true,
  },
  dispatch: {
    file: 'dispatch.ts',
    description: 'Decides the next wave of parts.',
    memoryMb: 1024,
    diskMb: 512,
    duckDb: false,
  },
  repack: {
    file: 'repack.ts',
    description: 'Puts the owed records of several parts into one.',
    memoryMb: 2048,
    diskMb: MAX_DISK_MB,
    duckDb: true,
  },
  submit: { file: 'submit.ts', description: 'Creates the model invocation job of a part.', ...SMALL },
  runOnDemand: {
    file: 'run-on-demand.ts',
    description: 'Runs the records of a part one by one, below Bedrock’s minimum.',
    ...SMALL,
  },
  collect: {
    file: 'collect.ts',
    description: 'Joins what a job left to the rows of its part.',
    memoryMb: 3008,
    diskMb: MAX_DISK_MB,
    duckDb: true,
  },
  merge: {
    file: 'merge.ts',
    description: 'Lays the outcomes of the repair waves over the rows of a part.',
    memoryMb: 3008,
    diskMb: MAX_DISK_MB,
    duckDb: true,
  },
  summarize: {
    file: 'summarize.ts',
    description: 'Adds up the ledger and writes the summary.',
    memoryMb: 2048,
    diskMb: MAX_DISK_MB,
    duckDb: true,
  },
};
