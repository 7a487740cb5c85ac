import type { S3Uri } from '../../core/s3-uri.ts';
import { ownOutputOf } from '../../runs/run-layout.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { PlannedRun } from '../run/read-plan.ts';

/** Where the rows of a part are as its first turn left them, or where they were final then, as the output has them. */
export async function firstResultOf(
  partId: string,
  { plan, layout }: Pick<PlannedRun, 'plan' | 'layout'>,
  store: ObjectStore,
): Promise<S3Uri> {
  return (await store.head(layout.result(partId))) === undefined
    ? ownOutputOf(plan, layout, partId)
    : layout.result(partId);
}
