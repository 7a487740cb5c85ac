import { setTimeout as sleep } from 'node:timers/promises';
import type { Emulator } from '../../emulator/server.ts';
import { type Claim, claim, holderOf } from '../../runs/claim.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** An emulator that is this process's own, or another's. */
export interface SharedEmulator extends AsyncDisposable {
  /** Where it is now: it moves when its process ends and another one takes over. */
  url(): string;
}

/** Milliseconds between two looks at whether the process that runs the emulator is still there. */
const OWNER_POLL_MS = 250;

/** Below the emulator's own store, beside its state. */
const CLAIMS = 's3://claims/emulator';

/**
 * Uses the emulator of the process that has one on this folder already, and starts one where there is none: two of
 * them would run every job twice. Where the other process ends, this one takes over.
 */
export async function shareEmulator(
  store: ObjectStore,
  start: () => Promise<Emulator>,
): Promise<SharedEmulator> {
  let own: { emulator: Emulator; claim: Claim } | undefined;
  let url: string | undefined;
  const closing = new AbortController();

  /** Gives this process the emulator, or finds whose it is; undefined where that one does not serve yet. */
  const connect = async (): Promise<string | undefined> => {
    const result = await claim(store, CLAIMS);
    if (result.kind === 'taken') return result.by.url ?? undefined;
    try {
      const emulator = await start();
      own = { emulator, claim: result.claim };
      await result.claim.announce(emulator.url);
      return emulator.url;
    } catch (error) {
      await result.claim[Symbol.asyncDispose]();
      throw error;
    }
  };
  const watch = async (): Promise<void> => {
    while (own === undefined && !closing.signal.aborted) {
      const owner = await holderOf(store, CLAIMS);
      if (owner === undefined) url = (await connect()) ?? url;
      else url = owner.url ?? url;
      await sleep(OWNER_POLL_MS, undefined, { signal: closing.signal, ref: false });
    }
  };

  while (url === undefined) {
    url = await connect();
    if (url === undefined) await sleep(OWNER_POLL_MS);
  }
  const known = url;
  // A failure to take over shows where it matters: in the calls that find nobody.
  const watching = watch().catch(() => {});
  return {
    url: () => url ?? known,
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await watching;
      await own?.emulator.close();
      await own?.claim[Symbol.asyncDispose]();
    },
  };
}
