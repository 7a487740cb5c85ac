import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { QuarryError } from '../core/errors.ts';
import { type EmulatorOptions, type ModelServerOptions, startEmulator } from '../emulator/server.ts';
import type { ClaimRecord } from '../runs/claim.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import { makeStoreFolder } from '../store/store-folder.ts';
import { modelServerOfTarget, requireModelServer } from '../targets/local/model-endpoint.ts';
import { ownEmulator } from '../targets/local/shared-emulator.ts';
import { endpointSettings } from './endpoint-settings.ts';
import { directoryOf, type QuarryOptions, type Spelling, spellingOf } from './quarry-options.ts';

/** Another process serves the emulator of the folder, or has taken it over. */
export class EmulatorBusyError extends QuarryError {
  override readonly name = 'EmulatorBusyError';
}

/** How the emulator of a folder behaves. */
export type EmulateOptions = Omit<EmulatorOptions, 'store' | 'stateDirectory' | 'clock' | 'modelServer'>;

/** The emulator of a folder; disposing of it ends it, and leaves every job where it is. */
export interface ServedEmulator extends AsyncDisposable {
  /** `http://127.0.0.1:port`, for the `endpoint` of any AWS SDK. */
  url: string;
  /** The server that answers; undefined for the simulated model. */
  modelServerUrl: string | undefined;
  /** Aborted, with an EmulatorBusyError, where another process has taken the folder over. */
  lost: AbortSignal;
}

/** Serves the emulator of a folder; EmulatorBusyError where another process does. */
export async function serveEmulator(
  options: QuarryOptions,
  behaviour: EmulateOptions,
): Promise<ServedEmulator> {
  const directory = directoryOf(options);
  const modelServer = await openModelServer(options);
  await makeStoreFolder(directory);
  const stateDirectory = join(directory, '.emulator');
  const owned = await ownEmulator(createDirectoryStore(stateDirectory), () =>
    startEmulator({
      ...behaviour,
      store: createDirectoryStore(directory),
      stateDirectory,
      clock: systemClock,
      ...(modelServer === undefined ? {} : { modelServer }),
    }),
  );
  if (owned.kind === 'taken') throw busyError(directory, owned.by, spellingOf(options));
  const lost = new AbortController();
  owned.lost.addEventListener('abort', () =>
    lost.abort(
      new EmulatorBusyError(`Another process has taken over the emulator of ${directory}. This one stops.`),
    ),
  );
  return {
    url: owned.emulator.url,
    modelServerUrl: modelServer?.url,
    lost: lost.signal,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** The server that the options name; asked for one token where they name its model too. */
async function openModelServer(options: QuarryOptions): Promise<ModelServerOptions | undefined> {
  const keyed = modelServerOfTarget(endpointSettings(options, undefined));
  if (keyed === undefined) return undefined;
  if (keyed.server.model !== null) await requireModelServer(keyed, undefined);
  return { ...keyed.server, ...(keyed.apiKey === undefined ? {} : { apiKey: keyed.apiKey }) };
}

/** Two emulators on one folder would run every job twice. */
function busyError(directory: string, by: ClaimRecord, spell: Spelling): EmulatorBusyError {
  const where = by.url === null ? 'It does not serve yet' : `Use it: ${by.url}`;
  return new EmulatorBusyError(
    `Process ${by.process.pid} on ${by.process.host} already serves the emulator of ${directory}. ${where}, or name another folder with ${spell('directory')}.`,
  );
}
