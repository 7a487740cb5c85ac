import { dirname } from 'node:path';
import { bundleCommand } from '../../scripts/bundle.ts';
import { BUNDLED_COMMAND } from './command-file.ts';

/** Before all tests: makes one file of the command line where that is asked for. */
export async function setup(): Promise<void> {
  if (process.env.QUARRY_TEST_BUNDLED !== undefined) await bundleCommand(dirname(BUNDLED_COMMAND));
}
