import type { Bedrock } from '../bedrock/bedrock.ts';
import { RunCancelled } from '../core/errors.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { RunLayout } from '../store/run-layout.ts';

/** True from `quarry cancel` until `quarry resume`: nothing may be sent that was not sent before. */
export async function isCancelled({ cancellation }: RunLayout, store: ObjectStore): Promise<boolean> {
  return (await store.head(cancellation)) !== undefined;
}

/** Throws RunCancelled where the run is cancelled; its name becomes the error code of the rows not sent. */
export async function refuseIfCancelled(layout: RunLayout, store: ObjectStore): Promise<void> {
  if (await isCancelled(layout, store)) {
    throw new RunCancelled('The run was cancelled before this row was sent.');
  }
}

/**
 * In a cancelled run, the ARN of the job that was created although its record was lost: it has to be stopped and harvested.
 * Throws RunCancelled where there is none; undefined where the run is not cancelled.
 */
export async function findJobIfCancelled(
  jobName: string,
  layout: RunLayout,
  { store, bedrock }: { store: ObjectStore; bedrock: Bedrock },
): Promise<string | undefined> {
  if (!(await isCancelled(layout, store))) return undefined;
  const job = await bedrock.findJobByName(jobName);
  if (job === undefined) await refuseIfCancelled(layout, store);
  return job?.jobArn;
}
