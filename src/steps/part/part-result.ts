import type { S3Uri } from '../../core/s3-uri.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** Where the rows of a part are as its first turn left them, or where they were final then, as the output has them. */
export async function firstResultOf(partId: string, layout: RunLayout, store: ObjectStore): Promise<S3Uri> {
  return (await store.head(layout.result(partId))) === undefined
    ? layout.output(partId)
    : layout.result(partId);
}
