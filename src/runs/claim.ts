import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { joinS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { readJsonIfPresent, writeJson } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { identifyThisProcess, ProcessIdentity, presenceOf } from './process-identity.ts';

/** What a process says of itself where it claims something. */
export const ClaimRecord = z.object({
  process: ProcessIdentity,
  since: z.string(),
  /** When it last said that it is there; null where it never says. */
  seen_at: z.string().nullable().default(null),
  /** `claiming` until it has seen that nobody else holds it. */
  state: z.enum(['claiming', 'held']),
  /** Where the holder can be reached, if anywhere. */
  url: z.string().nullable(),
});
export type ClaimRecord = z.infer<typeof ClaimRecord>;

/** What a process holds, alone, until it releases it or is gone. */
export interface Claim extends AsyncDisposable {
  /** Tells the others where the holder can be reached. */
  announce(url: string): Promise<void>;
  /** Aborted where it was taken away: its file was deleted, or somebody who took this process for dead holds it now. */
  lost: AbortSignal;
}

/** What came of a claim: this process holds it, or another one does. */
export type ClaimResult = { kind: 'held'; claim: Claim } | { kind: 'taken'; uri: S3Uri; by: ClaimRecord };

/** Milliseconds between two looks at a claim that is neither held nor withdrawn yet. */
const RIVAL_POLL_MS = 20;
/** Milliseconds between two signs of life. */
const HEARTBEAT_MS = 20_000;
/**
 * Milliseconds of silence after which a process that cannot be seen from here is taken to be gone: many signs of life, and more
 * than two clocks should differ by.
 */
export const SILENCE_MS = 5 * 60_000;

/**
 * Claims what `folder` stands for. Each process leaves a file of its own name there and then looks for others, so
 * that of two that come at once at least one sees the other, and a dead one's file can be deleted by anybody: no
 * name is ever used again. Of two that see each other, the one whose name comes first goes on.
 */
export async function claim(
  store: ObjectStore,
  folder: S3Uri,
  { heartbeatMs = HEARTBEAT_MS } = {},
): Promise<ClaimResult> {
  const identity = await identifyThisProcess();
  const name = `${String(identity.pid).padStart(10, '0')}-${randomBytes(8).toString('hex')}.json`;
  const uri = joinS3Uri(folder, name);
  const since = new Date().toISOString();
  const record: ClaimRecord = {
    process: identity,
    since,
    seen_at: since,
    state: 'claiming',
    url: null,
  };
  await writeJson(store, uri, record);
  try {
    for (;;) {
      const others = (await readClaims(store, folder)).filter((other) => other.uri !== uri);
      const winner = others.find((other) => other.record.state === 'held' || other.uri < uri);
      if (winner !== undefined) {
        await store.delete(uri);
        return { kind: 'taken', uri: winner.uri, by: winner.record };
      }
      if (others.length === 0) break;
      await sleep(RIVAL_POLL_MS);
    }
    record.state = 'held';
    await writeJson(store, uri, record);
  } catch (error) {
    await store.delete(uri).catch(() => {});
    throw error;
  }
  return { kind: 'held', claim: hold(record, { store, folder, uri, heartbeatMs }) };
}

/** Where a claim is, and how often it is renewed. */
interface ClaimPlace {
  store: ObjectStore;
  folder: S3Uri;
  uri: S3Uri;
  heartbeatMs: number;
}

/** Keeps a claim alive until it is released. */
function hold(record: ClaimRecord, { store, folder, uri, heartbeatMs }: ClaimPlace): Claim {
  const lost = new AbortController();
  let writing: Promise<unknown> = Promise.resolve();
  /** One write after the other, so that the last one told is the last one there. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = writing.then(work);
    writing = turn.catch(() => {});
    return turn;
  };
  const beat = async (): Promise<void> => {
    if (lost.signal.aborted) return;
    const claims = await readClaims(store, folder, { keepsGone: true });
    const isOthers = claims.some((other) => other.uri !== uri && other.record.state === 'held');
    if (isOthers || (await store.head(uri)) === undefined) {
      lost.abort();
      await store.delete(uri);
      return;
    }
    record.seen_at = new Date().toISOString();
    await writeJson(store, uri, record);
  };
  // A store that fails is asked again the next time.
  const timer = setInterval(() => void inTurn(beat).catch(() => {}), heartbeatMs).unref();
  return {
    announce: (url) => {
      record.url = url;
      return inTurn(() => writeJson(store, uri, record));
    },
    lost: lost.signal,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await writing;
      await store.delete(uri);
    },
  };
}

/** Who holds what `folder` stands for; undefined where nobody does. Deletes nothing. */
export async function holderOf(store: ObjectStore, folder: S3Uri): Promise<ClaimRecord | undefined> {
  const claims = await readClaims(store, folder, { keepsGone: true });
  return claims.find(({ record }) => record.state === 'held')?.record;
}

/** The claims of processes that are there, or may be; those of dead ones are swept away. */
async function readClaims(
  store: ObjectStore,
  folder: S3Uri,
  { keepsGone = false } = {},
): Promise<{ uri: S3Uri; record: ClaimRecord }[]> {
  const claims: { uri: S3Uri; record: ClaimRecord }[] = [];
  for await (const { uri } of store.list(joinS3Uri(folder, ''))) {
    const record = await readJsonIfPresent(store, uri, ClaimRecord);
    if (record === undefined) continue;
    if (!(await isGone(record))) claims.push({ uri, record });
    else if (!keepsGone) await store.delete(uri);
  }
  return claims;
}

/** True where the process is dead, or cannot be seen from here and has long said nothing. */
async function isGone({ process, seen_at }: ClaimRecord): Promise<boolean> {
  switch (await presenceOf(process)) {
    case 'alive':
      return false;
    case 'gone':
      return true;
    case 'elsewhere':
      return seen_at !== null && Date.now() - Date.parse(seen_at) > SILENCE_MS;
  }
}
