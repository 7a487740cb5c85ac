import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVirtualClock } from '../../src/core/clock.ts';
import type { HubAccess } from '../../src/hub/hub-access.ts';
import type { HubDatasetRequest } from '../../src/hub/hub-dataset.ts';
import type { HubDouble } from './hub-double.ts';

/** Access to a double, anonymous, in virtual time, with every jitter at its middle. */
export function accessTo(
  { endpoint, viewerEndpoint }: HubDouble,
  changes: Partial<HubAccess> = {},
): HubAccess {
  return {
    endpoint,
    viewerEndpoint,
    token: undefined,
    fetch,
    clock: createVirtualClock(),
    random: () => 0.5,
    ...changes,
  };
}

/** A request for a dataset's `train` split, with nothing else said. */
export function requestFor(datasetId: string, changes: Partial<HubDatasetRequest> = {}): HubDatasetRequest {
  return { datasetId, split: undefined, configName: undefined, revision: undefined, ...changes };
}

/** A directory that is removed with its test. */
export async function makeDirectory(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'quarry-hub-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
