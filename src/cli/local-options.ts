import type { Command } from 'commander';
import { systemClock } from '../core/clock.ts';
import { type LocalTarget, openLocalTarget } from '../local/local-target.ts';
import { VERSION } from './version.ts';

/** Options of every command that speaks to Bedrock, or to its emulator. */
export interface LocalOptions {
  dir: string;
  modelEndpoint?: string;
  emulator?: string;
}

/** Adds those options to a command. */
export function addLocalOptions(command: Command): Command {
  return command
    .option('--dir <directory>', 'the local store: s3://bucket/key is <directory>/bucket/key', '.quarry')
    .option('--model-endpoint <url>', 'let an OpenAI-compatible server answer instead of the simulated model')
    .option('--emulator <url>', 'use a Bedrock emulator that runs already (quarry emulate)');
}

/** The local target that the options name. */
export function openTarget({ dir, modelEndpoint, emulator }: LocalOptions): Promise<LocalTarget> {
  return openLocalTarget({
    directory: dir,
    clock: systemClock,
    version: VERSION,
    modelEndpoint,
    emulatorUrl: emulator,
  });
}
