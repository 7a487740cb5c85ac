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
}

/** What came of a claim: this process holds it, or another one does. */
export type ClaimResult = { kind: 'held'; claim: Claim } | { kind: 'taken'; uri: S3Uri; by: ClaimRecord };

/** Milliseconds between two looks at a claim that is neither held nor withdrawn yet. */
const RIVAL_POLL_MS = 20;

/**
 * Claims what `folder` stands for. Each process leaves a file of its own name there and then looks for others, so
 * that of two that come at once at least one sees the other, and a dead one's file can be deleted by anybody: no
 * name is ever used again. Of two that see each other, the one whose name comes first goes on.
 */
export async function claim(store: ObjectStore, folder: S3Uri): Promise<ClaimResult> {
  const identity = await identifyThisProcess();
  const name = `${String(identity.pid).padStart(10, '0')}-${randomBytes(8).toString('hex')}.json`;
  const uri = joinS3Uri(folder, name);
  const record: ClaimRecord = {
    process: identity,
    since: new Date().toISOString(),
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
  return {
    kind: 'held',
    claim: {
      announce: async (url) => {
        record.url = url;
        await writeJson(store, uri, record);
      },
      [Symbol.asyncDispose]: () => store.delete(uri),
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
    if ((await presenceOf(record.process)) !== 'gone') claims.push({ uri, record });
    else if (!keepsGone) await store.delete(uri);
  }
  return claims;
}
