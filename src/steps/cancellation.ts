import { type RunResumed, RunStop } from '../core/run-stop.ts';
import { RunSummary } from '../core/summary.ts';
import { readJsonIfPresent, writeJson, writeJsonIfAbsent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { RunLayout } from '../store/run-layout.ts';

/** True from `quarry cancel` until `quarry resume`: nothing is sent, and jobs that have not ended are to be stopped. */
export async function isCancelled({ stop }: RunLayout, store: ObjectStore): Promise<boolean> {
  return (await readJsonIfPresent(store, stop, RunStop))?.reason === 'cancelled';
}

/** Marks a run as cancelled; whoever is at work on it sends nothing more, stops its jobs and harvests them. */
export async function markCancelled({ stop }: RunLayout, store: ObjectStore): Promise<void> {
  const mark: RunStop = { reason: 'cancelled', message: 'It was cancelled. To go on: quarry resume.' };
  await writeJsonIfAbsent(store, stop, mark);
}

/** Takes the mark back from a run that came to its end before it could be cancelled. */
export async function unmarkCancelled(layout: RunLayout, store: ObjectStore): Promise<void> {
  if (await isCancelled(layout, store)) await store.delete(layout.stop);
}

/**
 * Makes a cancelled run one that goes on; only for the process that holds the run. The mark goes last, so that a run
 * whose reopening was broken off is still cancelled.
 */
export async function reopenCancelled(layout: RunLayout, store: ObjectStore): Promise<void> {
  if (!(await isCancelled(layout, store))) return;
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (summary !== undefined) {
    // Jobs that were stopped have failed alike, which is no fault of the run's.
    await writeJson(store, layout.resumed, { wave: summary.waves } satisfies RunResumed);
    await store.delete(layout.summary);
  }
  await store.delete(layout.stop);
}
