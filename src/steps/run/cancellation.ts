import { RunCancelled } from '../../core/errors.ts';
import { RunResumed } from '../../core/run/run-stop.ts';
import { RunSummary } from '../../core/run/summary.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson, writeJsonIfAbsent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** True from `quarry cancel` until `quarry resume`: nothing may be sent that was not sent before. */
export async function isCancelled({ cancellation }: RunLayout, store: ObjectStore): Promise<boolean> {
  return (await store.head(cancellation)) !== undefined;
}

/** Marks a run as cancelled; whoever is working on it sends nothing more, stops its jobs and collects them. */
export async function markCancelled(
  { cancellation }: RunLayout,
  store: ObjectStore,
  at: Date,
): Promise<void> {
  await writeJsonIfAbsent(store, cancellation, { cancelled_at: at.toISOString() });
}

/**
 * Makes a cancelled run one that goes on; only for the process that holds the run. The mark goes last, so that a run
 * whose reopening was broken off is still cancelled.
 */
export async function reopenCancelled(layout: RunLayout, store: ObjectStore): Promise<void> {
  if (!(await isCancelled(layout, store))) return;
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (summary !== undefined) {
    // Jobs that were stopped have ended alike, which is no fault of the run's.
    const before = await readJsonIfPresent(store, layout.resumed, RunResumed);
    const resumed = { wave: summary.waves } satisfies RunResumed;
    // Cancelled before another wave, it was taken up for what it was taken up for before.
    await writeJson(store, layout.resumed, before?.wave === summary.waves ? before : resumed);
    await store.delete(layout.summary);
  }
  await store.delete(layout.cancellation);
}

/** Throws RunCancelled where the run is cancelled; its name becomes the error code of the rows not sent. */
export async function refuseIfCancelled(layout: RunLayout, store: ObjectStore): Promise<void> {
  if (await isCancelled(layout, store)) {
    throw new RunCancelled('The run was cancelled before this row was sent.');
  }
}
