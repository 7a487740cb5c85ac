/** Starts an emulator over `<directory>/objects` and `<directory>/state`, and prints its URL. */
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { startEmulator } from '../../src/emulator/server.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';

const [directory = '.', inProgressMs = '500'] = process.argv.slice(2);
const emulator = await startEmulator({
  store: createDirectoryStore(join(directory, 'objects')),
  stateDirectory: join(directory, 'state'),
  clock: systemClock,
  accountId: '123456789012',
  trackRecords: true,
  durations: {
    submittedMs: 50,
    validatingMs: 50,
    scheduledMs: 50,
    inProgressMs: Number(inProgressMs),
    stoppingMs: 50,
  },
});
process.stdout.write(`${emulator.url}\n`);
process.on('SIGTERM', () => void emulator.close());
