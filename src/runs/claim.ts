import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RunBusyError } from '../core/errors.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { parseDocument, renderJson } from '../store/json-document.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { identifyThisProcess, ProcessIdentity, presenceOf } from '../store/process-identity.ts';

/** What the lease object says: who holds what it stands for, or that nobody does. */
export const ClaimRecord = z.object({
  /** Drawn anew for each claim: a process may hold one after the other. */
  holder: z.string(),
  process: ProcessIdentity,
  since: z.string(),
  /** When it last said that it is there. */
  seen_at: z.string(),
  state: z.enum(['held', 'free']),
  /** Where the holder can be reached, if anywhere. */
  url: z.string().nullable(),
});
export type ClaimRecord = z.infer<typeof ClaimRecord>;

/** What a process holds, alone, until it releases it or is gone. */
export interface Claim extends AsyncDisposable {
  /** Tells the others where the holder can be reached. */
  announce(url: string): Promise<void>;
  /** Resolves where this process holds it still, and asks first where it has not for a while; else RunBusyError. */
  confirm(): Promise<void>;
  /** Aborted where it was taken away: its object was deleted, or somebody who took this process for dead holds it now. */
  lost: AbortSignal;
}

/** What came of a claim: this process holds it, or another one does. */
export type ClaimResult = { kind: 'held'; claim: Claim } | { kind: 'taken'; uri: S3Uri; by: ClaimRecord };

/** Milliseconds between two signs of life. */
const HEARTBEAT_MS = 20_000;
/**
 * Milliseconds of silence after which a process that cannot be seen from here is taken to be gone: many signs of life, and more
 * than two clocks should differ by.
 */
export const SILENCE_MS = 5 * 60_000;
/** The same for a process of a machine of this name that was restarted since, or is another one of that name. */
export const RESTART_SILENCE_MS = 60_000;
/** Tries at a lease that others change at the same time. */
const MAX_TRIES = 20;
/** Milliseconds before the next of them. */
const RETRY_MS = 20;

/**
 * Claims what the lease object at `uri` stands for, by compare-and-swap: of many that come at once one goes on. The object stays
 * when the claim is given back, and says that nobody holds it.
 */
export async function claim(
  store: ObjectStore,
  uri: S3Uri,
  { heartbeatMs = HEARTBEAT_MS } = {},
): Promise<ClaimResult> {
  const identity = await identifyThisProcess();
  for (let tries = 0; ; tries += 1) {
    const present = await readLease(store, uri);
    if (present.record !== undefined && (await isHeld(present.record))) {
      return { kind: 'taken', uri, by: present.record };
    }
    const since = new Date().toISOString();
    const record: ClaimRecord = {
      holder: randomBytes(16).toString('hex'),
      process: identity,
      since,
      seen_at: since,
      state: 'held',
      url: null,
    };
    const etag = await store.replace(uri, { body: renderJson(record), etag: present.etag });
    if (etag !== undefined) {
      return { kind: 'held', claim: hold({ record, etag }, { store, uri, heartbeatMs }) };
    }
    if (tries === MAX_TRIES)
      throw new RunBusyError(`${uri} kept changing while it was being written. Try again.`);
    await sleep(RETRY_MS);
  }
}

/** Who holds what the lease object at `uri` stands for; undefined where nobody does. Changes nothing. */
export async function holderOf(store: ObjectStore, uri: S3Uri): Promise<ClaimRecord | undefined> {
  const { record } = await readLease(store, uri);
  return record !== undefined && (await isHeld(record)) ? record : undefined;
}

/** A lease as this process has left it. */
interface OwnLease {
  record: ClaimRecord;
  etag: string;
}

/** Where a lease is, and how often it is renewed. */
interface LeasePlace {
  store: ObjectStore;
  uri: S3Uri;
  heartbeatMs: number;
}

/** Keeps a lease alive until it is released. */
function hold(lease: OwnLease, { store, uri, heartbeatMs }: LeasePlace): Claim {
  const lost = new AbortController();
  let renewedAtMs = performance.now();
  let turn: Promise<unknown> = Promise.resolve();
  /** Leaves the record changed, unless the lease is somebody else's by now: then it is lost. One change after the other. */
  const change = (changes: Partial<ClaimRecord>): Promise<void> => {
    const work = turn.then(async () => {
      if (lost.signal.aborted) return;
      const startedAtMs = performance.now();
      const next = await swap(lease, changes, { store, uri });
      if (next === undefined) return lost.abort();
      Object.assign(lease, next);
      renewedAtMs = startedAtMs;
    });
    turn = work.catch(() => {});
    return work;
  };
  const renew = () => change({ seen_at: new Date().toISOString() });
  // A store that fails is asked again the next time.
  const timer = setInterval(() => void renew().catch(() => {}), heartbeatMs).unref();
  return {
    announce: (url) => change({ url }),
    confirm: async () => {
      // Stopped or cut off for a while, a process may have been taken for dead.
      if (performance.now() - renewedAtMs > 2 * heartbeatMs) await renew();
      if (lost.signal.aborted) throw new RunBusyError(`Another process holds ${uri} now.`);
    },
    lost: lost.signal,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await change({ state: 'free', url: null }).catch(() => discard(lease.record, { store, uri }));
    },
  };
}

/** Deletes a lease that cannot be written to any more, as where the disk is full. What is left is nobody's once this process is gone. */
async function discard(
  { holder }: ClaimRecord,
  { store, uri }: Pick<LeasePlace, 'store' | 'uri'>,
): Promise<void> {
  try {
    const present = await readLease(store, uri);
    if (present.record?.holder === holder) await store.delete(uri);
  } catch {
    // The store says no to everything.
  }
}

/** The lease with its changes in place; undefined where it is not this process's any more. */
async function swap(
  { record, etag }: OwnLease,
  changes: Partial<ClaimRecord>,
  { store, uri }: Pick<LeasePlace, 'store' | 'uri'>,
): Promise<OwnLease | undefined> {
  const next = { ...record, ...changes };
  const body = renderJson(next);
  const swapped = await store.replace(uri, { body, etag });
  if (swapped !== undefined) return { record: next, etag: swapped };
  // A change of our own may have taken effect although its answer was lost.
  const present = await readLease(store, uri);
  if (present.etag === undefined || present.record?.holder !== record.holder) return undefined;
  const again = await store.replace(uri, { body, etag: present.etag });
  return again === undefined ? undefined : { record: next, etag: again };
}

/** The lease object: its record, and its state; what cannot be read is nobody's. */
async function readLease(
  store: ObjectStore,
  uri: S3Uri,
): Promise<{ record: ClaimRecord | undefined; etag: string | undefined }> {
  const object = await store.readTagged(uri);
  if (object === undefined) return { record: undefined, etag: undefined };
  const read = parseDocument(object.body, ClaimRecord);
  return { record: 'value' in read ? read.value : undefined, etag: object.etag };
}

/** False where nobody holds the lease, or a process that is dead, or that cannot be seen from here and has long said nothing. */
async function isHeld({ state, process, seen_at }: ClaimRecord): Promise<boolean> {
  if (state === 'free') return false;
  // Either way: a clock that was set back makes what was said lie in the future.
  const silentMs = Math.abs(Date.now() - Date.parse(seen_at));
  switch (await presenceOf(process)) {
    case 'alive':
    case 'stopped':
      return true;
    case 'gone':
      return false;
    case 'restarted':
      return silentMs < RESTART_SILENCE_MS;
    case 'elsewhere':
      return silentMs < SILENCE_MS;
  }
}
