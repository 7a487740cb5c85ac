import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { z } from 'zod';
import { DamagedFileError } from '../../core/errors.ts';
import { Slice, type SliceItem, SliceItems } from '../../core/plan/part.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson, writeMapItems } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';

/** Small objects read or written at once. */
const CONCURRENT_OBJECTS = 16;

type StoreDeps = Pick<StepDeps, 'store'>;

/** Writes every slice to a file of its own, and last the items that name them. */
export async function writeSlices(
  slices: readonly Slice[],
  layout: RunLayout,
  { store }: StoreDeps,
): Promise<void> {
  await pLimit(CONCURRENT_OBJECTS).map(slices, async (slice) => {
    await writeJson(store, layout.sliceCopy(slice.slice), slice);
    await writeJson(store, layout.slice(slice.slice), slice);
  });
  const items = slices.map(({ slice }): SliceItem => ({ slice }));
  await writeMapItems(store, layout.slices, items);
}

/** Writes the items again where they are not those of these slices: as they are derived, they have no checksum. */
export async function restoreItems(
  slices: readonly Slice[],
  layout: RunLayout,
  { store }: StoreDeps,
): Promise<void> {
  const items = slices.map(({ slice }): SliceItem => ({ slice }));
  const present = await readJsonIfPresent(store, layout.slices, SliceItems).catch((error: unknown) => {
    if (error instanceof DamagedFileError) return undefined;
    throw error;
  });
  if (!isDeepStrictEqual(present, items)) await writeMapItems(store, layout.slices, items);
}

/** One slice of a planned run; runs of version 0.1.0 have all of them in the file of the items. */
export async function readSlice(slice: number, layout: RunLayout, { store }: StoreDeps): Promise<Slice> {
  const stored =
    (await readJsonIfPresent(store, layout.slice(slice), Slice)) ??
    (await readJsonIfPresent(store, layout.sliceCopy(slice), Slice));
  if (stored !== undefined) return stored;
  const items = await readJsonIfPresent(store, layout.slices, z.array(z.unknown()));
  const old = Slice.safeParse(items?.[slice]);
  if (old.success) return old.data;
  const place = store.localPath?.(layout.slice(slice)) ?? layout.slice(slice);
  throw new DamagedFileError(
    `${place} is damaged: it is not there, nor is its copy. Restore it from a copy of the folder, or start a new run under another run_id.`,
  );
}

/** Every slice of a planned run, in order. */
export async function readSlices(
  { slices }: Pick<RunPlan, 'slices'>,
  layout: RunLayout,
  deps: StoreDeps,
): Promise<Slice[]> {
  return pLimit(CONCURRENT_OBJECTS).map(
    Array.from({ length: slices }, (_, slice) => slice),
    (slice) => readSlice(slice, layout, deps),
  );
}
