import pLimit from 'p-limit';
import { z } from 'zod';
import { Slice, type SliceItem, SliceItems } from '../../core/plan/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJson, readJsonIfPresent, writeJson, writeJsonIfAbsent } from '../../store/json-object.ts';
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
  await writeJson(store, layout.slices, items);
}

/** Writes again what somebody has deleted of them. */
export async function restoreSlices(
  slices: readonly Slice[],
  layout: RunLayout,
  { store }: StoreDeps,
): Promise<void> {
  const items = slices.map(({ slice }): SliceItem => ({ slice }));
  await writeJsonIfAbsent(store, layout.slices, items);
}

/** One slice of a planned run; runs of version 0.1.0 have all of them in the file of the items. */
export async function readSlice(slice: number, layout: RunLayout, { store }: StoreDeps): Promise<Slice> {
  const stored =
    (await readJsonIfPresent(store, layout.slice(slice), Slice)) ??
    (await readJsonIfPresent(store, layout.sliceCopy(slice), Slice));
  return (
    stored ??
    readJson(
      store,
      layout.slices,
      z.array(z.unknown()).transform((items) => Slice.parse(items[slice])),
    )
  );
}

/** Every slice of a planned run, in order. */
export async function readSlices(layout: RunLayout, deps: StoreDeps): Promise<Slice[]> {
  const items = await readJsonIfPresent(deps.store, layout.slices, SliceItems);
  return pLimit(CONCURRENT_OBJECTS).map(items ?? (await itemsOfCopies(layout, deps)), ({ slice }) =>
    readSlice(slice, layout, deps),
  );
}

/** The items, where somebody has deleted their file, by what it is the list of. */
async function itemsOfCopies(layout: RunLayout, { store }: StoreDeps): Promise<SliceItem[]> {
  const folder = layout.planCopy.replace(/[^/]*$/, '') as S3Uri;
  const uris = await Array.fromAsync(store.list(folder), ({ uri }) => uri);
  return uris.flatMap((uri) => {
    const number = /\/(\d+)\.json$/.exec(uri)?.[1];
    return number === undefined ? [] : { slice: Number(number) };
  });
}
