import { setTimeout as sleep } from 'node:timers/promises';
import type { Emulator } from '../../emulator/server.ts';
import { type Claim, type ClaimRecord, claim, holderOf } from '../../runs/claim.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** An emulator that is this process's own, or another's. */
export interface SharedEmulator extends AsyncDisposable {
  /** Where it is now: it moves when its process ends and another one takes over. */
  url(): string;
}

/** The emulator of a folder, for as long as this process has it. */
export interface OwnEmulator extends AsyncDisposable {
  kind: 'own';
  emulator: Emulator;
  /** Aborted where another process has taken the folder over. */
  lost: AbortSignal;
}

/** Milliseconds between two looks at whether the process that runs the emulator is still there. */
const OWNER_POLL_MS = 250;

/** Below the emulator's own store, beside its state. */
const CLAIMS = 's3://claims/emulator';

/**
 * Starts the folder's emulator, and nobody else does for as long as this process has it: two of them would run every job
 * twice. Where another process has it, that one is told.
 */
export async function ownEmulator(
  store: ObjectStore,
  start: () => Promise<Emulator>,
): Promise<OwnEmulator | { kind: 'taken'; by: ClaimRecord }> {
  const result = await claim(store, CLAIMS);
  if (result.kind === 'taken') return result;
  try {
    return await serve(result.claim, await start());
  } catch (error) {
    await result.claim[Symbol.asyncDispose]();
    throw error;
  }
}

async function serve(held: Claim, emulator: Emulator): Promise<OwnEmulator> {
  await held.announce(emulator.url);
  return {
    kind: 'own',
    emulator,
    lost: held.lost,
    [Symbol.asyncDispose]: async () => {
      await emulator.close();
      await held[Symbol.asyncDispose]();
    },
  };
}

/**
 * Uses the emulator of the process that has one on this folder already, and starts one where there is none. Where the other
 * process ends, this one takes over.
 */
export async function shareEmulator(
  store: ObjectStore,
  start: () => Promise<Emulator>,
): Promise<SharedEmulator> {
  const place: Place = { store, start, own: undefined, url: undefined };
  for (;;) {
    await connect(place);
    if (place.url !== undefined) break;
    await sleep(OWNER_POLL_MS);
  }
  const known = place.url;
  const closing = new AbortController();
  // A failure to take over shows where it matters: in the calls that find nobody.
  const watching = watch(place, closing.signal).catch(() => {});
  return {
    url: () => place.url ?? known,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await watching;
      await place.own?.[Symbol.asyncDispose]();
    },
  };
}

/** Whose the emulator is, as far as this process knows. */
interface Place {
  store: ObjectStore;
  start: () => Promise<Emulator>;
  own: OwnEmulator | undefined;
  /** Undefined where its process does not serve yet. */
  url: string | undefined;
}

/** Gives this process the emulator, or finds whose it is. */
async function connect(place: Place): Promise<void> {
  const result = await ownEmulator(place.store, place.start);
  if (result.kind === 'own') place.own = result;
  place.url = (result.kind === 'own' ? result.emulator.url : result.by.url) ?? place.url;
}

async function watch(place: Place, signal: AbortSignal): Promise<void> {
  while (place.own === undefined && !signal.aborted) {
    const owner = await holderOf(place.store, CLAIMS);
    if (owner === undefined) await connect(place);
    else place.url = owner.url ?? place.url;
    await sleep(OWNER_POLL_MS, undefined, { signal, ref: false });
  }
}
