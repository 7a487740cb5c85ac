import { setTimeout as sleep } from 'node:timers/promises';
import { type QuarryError, RunBusyError, ServiceUnavailableError } from '../../core/errors.ts';
import type { Emulator } from '../../emulator/server.ts';
import { type Claim, type ClaimRecord, claim, holderOf } from '../../runs/claim.ts';
import { doubtAbout } from '../../runs/run-lock.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { presenceOf } from '../../store/process-identity.ts';

/** An emulator that is this process's own, or another's. */
export interface SharedEmulator extends AsyncDisposable {
  /** Where it is now: it moves when its process ends and another one takes over. Throws where that process answers nobody. */
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

/** Milliseconds that another process has for saying where its emulator is, and that the emulator has for an answer. */
const SERVING_DEADLINE_MS = 15_000;
const ANSWER_DEADLINE_MS = 5_000;

/** In the emulator's own store, beside its state. */
const CLAIM = 's3://claims/emulator.json';

/**
 * Starts the folder's emulator, and nobody else does for as long as this process has it: two of them would run every job
 * twice. Where another process has it, that one is told.
 */
export async function ownEmulator(
  store: ObjectStore,
  start: () => Promise<Emulator>,
): Promise<OwnEmulator | { kind: 'taken'; by: ClaimRecord }> {
  const result = await claim(store, CLAIM);
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
 * process ends, this one takes over. Throws, and says which process it is, where that one does not answer.
 */
export async function shareEmulator(
  store: ObjectStore,
  start: () => Promise<Emulator>,
): Promise<SharedEmulator> {
  const place: Place = { store, start, own: undefined, url: undefined, outage: undefined };
  const known = await reach(place);
  const closing = new AbortController();
  // A failure to take over shows where it matters: in the calls that find nobody.
  const watching = watch(place, closing.signal).catch(() => {});
  return {
    url: () => {
      if (place.outage !== undefined) throw place.outage;
      return place.url ?? known;
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await watching;
      await place.own?.[Symbol.asyncDispose]();
    },
  };
}

/** Where the emulator of a folder is, if a process serves it now. */
export async function servingUrl(store: ObjectStore): Promise<string | undefined> {
  return (await holderOf(store, CLAIM))?.url ?? undefined;
}

/** Whose the emulator is, as far as this process knows. */
interface Place {
  store: ObjectStore;
  start: () => Promise<Emulator>;
  own: OwnEmulator | undefined;
  /** Undefined where its process does not serve yet. */
  url: string | undefined;
  /** Why nobody answers there now. */
  outage: QuarryError | undefined;
}

/** Connects, and waits until somebody answers; where that is. */
async function reach(place: Place): Promise<string> {
  const startedAtMs = performance.now();
  for (;;) {
    await connect(place);
    const { own, url } = place;
    if (url !== undefined && (own !== undefined || (await isAnswering(url)))) return url;
    const owner = await holderOf(place.store, CLAIM);
    if (owner !== undefined) {
      const isOverdue = url !== undefined || performance.now() - startedAtMs > SERVING_DEADLINE_MS;
      const outage = await outageOf(owner, { store: place.store, isOverdue });
      if (outage !== undefined) throw outage;
    }
    await sleep(OWNER_POLL_MS);
  }
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/_emulator`, { signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
    await response.body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** Why the process that has the emulator answers nobody, and what to do; undefined where it may yet. */
async function outageOf(
  owner: ClaimRecord,
  { store, isOverdue }: { store: ObjectStore; isOverdue: boolean },
): Promise<QuarryError | undefined> {
  const { pid, host } = owner.process;
  const who = `Process ${pid} on ${host}, which serves the Bedrock emulator of this folder,`;
  const doubt = await doubtAbout(owner, store.localPath?.(CLAIM) ?? CLAIM);
  switch (await presenceOf(owner.process)) {
    case 'stopped':
      return new ServiceUnavailableError(`${who} does not answer.${doubt}`);
    case 'restarted':
    case 'elsewhere':
      return isOverdue
        ? new RunBusyError(
            `${who} cannot be reached from here.${doubt} The lock of a run that it was working on is named when you resume that run.`,
          )
        : undefined;
    case 'alive':
      return isOverdue
        ? new ServiceUnavailableError(
            `${who} has not answered for ${ANSWER_DEADLINE_MS / 1000} seconds. Try again, or end it with kill ${pid}.`,
          )
        : undefined;
    case 'gone':
      return undefined;
  }
}

/** Gives this process the emulator, or finds whose it is. */
async function connect(place: Place): Promise<void> {
  const result = await ownEmulator(place.store, place.start);
  if (result.kind === 'own') place.own = result;
  place.url = (result.kind === 'own' ? result.emulator.url : result.by.url) ?? place.url;
}

async function watch(place: Place, signal: AbortSignal): Promise<void> {
  while (place.own === undefined && !signal.aborted) {
    const owner = await holderOf(place.store, CLAIM);
    place.outage = owner && (await outageOf(owner, { store: place.store, isOverdue: false }));
    if (owner === undefined) await connect(place);
    else place.url = owner.url ?? place.url;
    await sleep(OWNER_POLL_MS, undefined, { signal, ref: false });
  }
}
