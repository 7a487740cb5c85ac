import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, createVirtualClock } from '../../src/core/clock.ts';
import { type BatchQuotas, DEFAULT_BATCH_QUOTAS } from '../../src/core/jobs/quotas.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { createDirectoryStore, localPathOf } from '../../src/store/directory-store.ts';
import type { EngineTarget } from '../../src/targets/embedded/engine-target.ts';
import {
  type LocalRunOptions,
  type LocalRunResult,
  runLocally,
} from '../../src/targets/embedded/run-locally.ts';
import {
  LOCAL_BUCKET,
  type LocalTargetOptions,
  openLocalTarget,
  sha256,
} from '../../src/targets/local/local-target.ts';
import { stageDataset } from '../../src/targets/local/stage-dataset.ts';
import { asOnAws, asSteps, type StepPolicies } from './step-policies.ts';

/** A model with a price and a simulated answer. */
export const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';

/** How an emulated account behaves, and what stands between it and the run. */
export interface EmulatedOptions {
  directory: string;
  quotas?: Partial<BatchQuotas>;
  emulator?: Pick<EmulatorOptions, 'seed' | 'faults' | 'overQuota' | 'durations' | 'staging'>;
  /** Answers instead of the simulated model. */
  modelServer?: LocalTargetOptions['modelServer'];
  clock?: Clock;
  pollSeconds?: number;
  /** Wraps what the steps see of the world. */
  wrap?: (target: EngineTarget) => EngineTarget;
  /**
   * True where what is tested only a disk does: files are read where they are, and nobody's rights are asked for. Otherwise the store
   * gives no file away, and each step works under the policies that its function has on AWS.
   */
  onDisk?: boolean;
  /** @default the stack's */
  policies?: StepPolicies;
}

/** An emulator that counts every answer, and a target that uses it. */
export interface EmulatedTarget extends AsyncDisposable {
  target: EngineTarget;
  emulator: Emulator;
  clock: Clock;
}

/** Starts both under a virtual clock. */
export async function openEmulatedTarget(options: EmulatedOptions): Promise<EmulatedTarget> {
  const { directory, clock = createVirtualClock(), wrap = (target) => target, onDisk = false } = options;
  const quotas = { ...DEFAULT_BATCH_QUOTAS, ...options.quotas };
  const emulator = await startEmulator({
    store: createDirectoryStore(directory),
    stateDirectory: join(directory, '.emulator'),
    clock,
    trackRecords: true,
    // As in the policies.
    accountId: '123456789012',
    quotas: { default: quotas },
    ...options.emulator,
  });
  const target = await openLocalTarget({
    directory,
    clock,
    version: '0.0.0',
    quotas,
    emulatorUrl: emulator.url,
    modelServer: options.modelServer,
    ...(options.pollSeconds === undefined ? {} : { pollSeconds: options.pollSeconds }),
  });
  const wrapped = wrap(target);
  return {
    target: onDisk ? wrapped : { ...wrapped, deps: asOnAws(wrapped.deps, options.policies) },
    emulator,
    clock,
    [Symbol.asyncDispose]: async () => {
      await target[Symbol.asyncDispose]();
      await emulator.close();
    },
  };
}

/** Runs the workflow, each step as its own function. */
export function runEmulated(
  input: unknown,
  { aroundTasks = (runTask) => runTask, ...options }: LocalRunOptions,
): Promise<LocalRunResult> {
  return runLocally(input, { ...options, aroundTasks: (runTask) => aroundTasks(asSteps(runTask)) });
}

/** A run over generated rows `{ name: "row 0" }`, … whose prompt is the row's own name. */
export async function runRows(
  rows: number,
  { target }: EmulatedTarget,
  { directory, keys = {}, random = () => 0.5, ...options }: RunRowsOptions,
): Promise<LocalRunResult> {
  const file = join(directory, 'rows.csv');
  const text = `name\n${Array.from({ length: rows }, (_, index) => `row ${index}\n`).join('')}`;
  // A file that is written again is another dataset.
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const { uri: s3_uri } = await stageDataset(file, { directory, bucket: LOCAL_BUCKET, hash: sha256 });
  return runEmulated(
    { s3_uri, model_id: MODEL, prompt_template: 'Say {name}', run_id: 'emulated', ...keys },
    { target, random, ...options },
  );
}

interface RunRowsOptions
  extends Pick<LocalRunOptions, 'signal' | 'aroundTasks' | 'onClaimed' | 'onProgress'> {
  directory: string;
  keys?: Record<string, unknown>;
  random?: () => number;
}

/** The output rows of a run that has ended. */
export function outputRows(result: LocalRunResult, directory: string): Promise<Record<string, unknown>[]> {
  if (result.kind !== 'finished') throw new Error(`The run has not finished: ${JSON.stringify(result)}`);
  const paths = result.summary.output_uris.map((uri) => localPathOf(directory, uri as `s3://${string}`));
  return Array.fromAsync(readResults(paths, {}));
}
