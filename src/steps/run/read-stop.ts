import { RunStop } from '../../core/run/run-stop.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { isCancelled } from './cancellation.ts';

/** Why nothing more may be sent; undefined where the run goes on. */
export async function readStop(layout: RunLayout, store: ObjectStore): Promise<RunStop | undefined> {
  if (await isCancelled(layout, store)) return { reason: 'cancelled', message: 'The run was cancelled.' };
  return readJsonIfPresent(store, layout.stop, RunStop);
}
