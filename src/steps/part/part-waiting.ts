import { JobRecord } from '../../core/jobs/job-record.ts';
import { Waiting, waitingOf } from '../../core/run/waiting.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { StepDeps } from '../deps.ts';
import { PartFault } from './part-fault.ts';

/** Why a part that has no ledger yet waits, as its files tell it to other processes; undefined where none says that it does. */
export async function readWaiting(
  partId: string,
  layout: RunLayout,
  store: ObjectStore,
): Promise<Waiting | undefined> {
  const [job, fault, submit, onDemand] = await Promise.all([
    readJsonIfPresent(store, layout.job(partId), JobRecord),
    readJsonIfPresent(store, layout.fault(partId), PartFault),
    readJsonIfPresent(store, layout.submitWaiting(partId), Waiting),
    readJsonIfPresent(store, layout.onDemandWaiting(partId), Waiting),
  ]);
  if (fault?.since !== undefined) return { ...fault, since: fault.since };
  // A part that has its job waits for that, and has waited for its creation before.
  const hasJob = job !== undefined && (job.job_arn !== null || job.refusal !== null);
  return hasJob ? undefined : (submit ?? onDemand);
}

/** Does what may have to be tried again for days; says why and since when, and leaves word of it for other processes. */
export async function sayingWhy<T>(
  { partId, uri }: { partId: string; uri: S3Uri },
  work: () => Promise<T>,
  { store, clock, onProgress }: Pick<StepDeps, 'store' | 'clock' | 'onProgress'>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const before = await readJsonIfPresent(store, uri, Waiting).catch(() => undefined);
    const waiting = waitingOf(error, { before, nowMs: clock.now() });
    if (waiting !== undefined) {
      onProgress?.({ kind: 'waiting', partId, ...waiting });
      // Where this cannot be written either, the first error says more.
      await writeJson(store, uri, waiting).catch(() => {});
    }
    throw error;
  }
}
