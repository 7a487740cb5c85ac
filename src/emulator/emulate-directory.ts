import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from './server.ts';

/**
 * Starts an emulator on a directory: `s3://bucket/key` is `<directory>/bucket/key`, and jobs are kept in `<directory>/.emulator`, so that
 * the next one goes on with them. A directory has one emulator at a time; the machine's own clock is the time unless `clock` is given.
 */
export function emulateDirectory(
  directory: string,
  options: Partial<EmulatorOptions> = {},
): Promise<Emulator> {
  return startEmulator({
    store: createDirectoryStore(directory),
    stateDirectory: join(directory, '.emulator'),
    clock: systemClock,
    ...options,
  });
}
