import { RunBusyError } from '../core/errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { type Claim, type ClaimRecord, claim, holderOf, SILENCE_MS } from './claim.ts';
import { presenceOf } from './process-identity.ts';
import type { RunLayout } from './run-layout.ts';

/** Makes this process the only one at work on a run; throws RunBusyError where another one is. */
export async function lockRun({ runId, layout }: LockedRun, store: ObjectStore): Promise<Claim> {
  const result = await claim(store, layout.lock);
  if (result.kind === 'held') return result.claim;
  const { process, since, seen_at } = result.by;
  const who = `process ${process.pid} on ${process.host}, since ${since}`;
  const doubt =
    (await presenceOf(process)) !== 'elsewhere'
      ? ''
      : seen_at === null
        ? ` Whether it is alive cannot be seen from here. If you are sure that it is not, delete ${result.uri} and try again.`
        : ` It was there at ${seen_at}. Should it have died since, the run is free ${SILENCE_MS / 60_000} minutes after that, or at once if you delete ${result.uri}.`;
  throw new RunBusyError(`Another process is at work on run "${runId}": ${who}.${doubt}`);
}

/** A run to be locked. */
export interface LockedRun {
  runId: string;
  layout: RunLayout;
}

/** The process at work on a run; undefined where there is none. */
export function workerOf(layout: RunLayout, store: ObjectStore): Promise<ClaimRecord | undefined> {
  return holderOf(store, layout.lock);
}
