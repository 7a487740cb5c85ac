import { join } from 'node:path';

/** Where CI puts the command line as one file, which starts in half the time of its sources. */
export const BUNDLED_COMMAND = join(import.meta.dirname, '..', '..', 'test-results', 'command', 'main.js');

/** The file that tests start as the command line: its sources, or with QUARRY_TEST_BUNDLED what `bundle-command.ts` made of them. */
export const COMMAND_FILE =
  process.env.QUARRY_TEST_BUNDLED === undefined
    ? join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
    : BUNDLED_COMMAND;
