import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Transfer } from '../../src/core/run/run-event.ts';
import { downloadHubFiles, type HubDownloadOptions } from '../../src/hub/download-dataset.ts';
import type { HubAccess } from '../../src/hub/hub-access.ts';
import type { HubDataset } from '../../src/hub/hub-dataset.ts';
import { resolveHubDataset } from '../../src/hub/resolve-dataset.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { type DatasetDouble, type HubDouble, startHubDouble } from './hub-double.ts';
import { accessTo, makeDirectory, requestFor } from './hub-fixture.ts';

/** Bytes that differ everywhere, so that a piece in the wrong place is seen. */
export function bytesOf(count: number, seed = 'quarry'): Buffer {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < count; i += 1) blocks.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Buffer.concat(blocks).subarray(0, count);
}

/** A dataset on a double, and where it is downloaded to. */
export interface World extends AsyncDisposable {
  hub: HubDouble;
  dataset: HubDataset;
  store: ObjectStore;
  scratchDirectory: string;
  download: (
    options?: { access?: Partial<HubAccess> } & Partial<HubDownloadOptions>,
  ) => ReturnType<typeof downloadHubFiles>;
  /** The requests for file bytes. */
  fileRequests: () => HubDouble['seen'];
}

/** A dataset on a double, resolved, with a store to put it into. */
export async function startWorld(
  double: DatasetDouble | DatasetDouble['files'],
  { token, split }: { token?: string; split?: string } = {},
): Promise<World> {
  const stack = new AsyncDisposableStack();
  const hub = stack.use(
    await startHubDouble({
      'o/d':
        'files' in double && typeof double.files === 'object'
          ? (double as DatasetDouble)
          : { files: double as DatasetDouble['files'] },
    }),
  );
  const directory = stack.use(await makeDirectory());
  const store = createDirectoryStore(join(directory.path, 'store'));
  const scratchDirectory = join(directory.path, 'scratch');
  const dataset = await resolveHubDataset(requestFor('o/d', { split }), accessTo(hub, { token }));
  hub.seen.length = 0;
  return {
    hub,
    dataset,
    store,
    scratchDirectory,
    download: ({ access, ...options } = {}) =>
      downloadHubFiles(dataset, accessTo(hub, { token, ...access }), {
        store,
        prefixUri: 's3://bucket/hf',
        scratchDirectory,
        ...options,
      }),
    fileRequests: () =>
      hub.seen.filter(({ origin, path }) => origin === 'cdn' || path.includes('resolve-cache')),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Cuts the CDN's connection each time that so many bytes are there; what it returns must be told of the progress. */
export function cutAt(hub: HubDouble, points: readonly number[]): (progress: Transfer) => void {
  const arrivals = points.map((point, i) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hub.fail(/^cdn/, { kind: 'cut', afterBytes: point - (points[i - 1] ?? 0), until: promise });
    return { point, resolve };
  });
  return ({ doneBytes }) => {
    for (const { point, resolve } of arrivals) if (doneBytes >= point) resolve();
  };
}
