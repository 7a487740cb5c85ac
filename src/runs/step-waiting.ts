import { z } from 'zod';
import { Waiting } from '../core/run/waiting.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { readJsonIfPresent, writeJson } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { RunLayout } from './run-layout.ts';

/** Milliseconds after which a step that was tried the last time is taken to have come further, or to have been left. */
const STALE_MS = 15 * 60_000;

/** `jobs/waiting/step-<name>.json`: why a step of the whole run is tried again, since when, and when it was tried the last time. */
export const StepWaiting = Waiting.extend({ step: z.string(), tried_at: z.string() });
export type StepWaiting = z.infer<typeof StepWaiting>;
StepWaiting.register(z.globalRegistry, { title: 'why a step is tried again' });

/** What it says, for people. */
export function stepWaitingText({ step, message, since }: Omit<StepWaiting, 'tried_at'>): string {
  return `The step ${step} is tried again. ${message} (since ${since})`;
}

/** Leaves word for other processes. Where it cannot be written, what is tried again says more. */
export async function leaveStepWaiting(
  waiting: StepWaiting,
  layout: RunLayout,
  store: ObjectStore,
): Promise<void> {
  await writeJson(store, layout.stepWaiting(waiting.step), waiting).catch(() => {});
}

/** The words among these objects that still hold. */
export async function readStepWaits(
  uris: readonly S3Uri[],
  store: ObjectStore,
  nowMs: number,
): Promise<StepWaiting[]> {
  const words = uris.filter((uri) => /\/jobs\/waiting\/step-\w+\.json$/.test(uri));
  const read = await Promise.all(words.map((uri) => readJsonIfPresent(store, uri, StepWaiting)));
  return read.filter(
    (word) => word !== undefined && Math.abs(nowMs - Date.parse(word.tried_at)) < STALE_MS,
  ) as StepWaiting[];
}
