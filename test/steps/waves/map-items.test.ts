import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  MergeItem,
  MergePlan,
  type PreparedPart,
  SliceItem,
  toWaveItem,
  WaveItem,
  type WavePart,
} from '../../../src/core/plan/part.ts';
import type { PartLedger } from '../../../src/core/run/ledger.ts';
import { runLayout, runUriOf } from '../../../src/runs/run-layout.ts';
import { cutSlices } from '../../../src/steps/plan/slices.ts';
import { readSlice, readSlices, restoreItems, writeSlices } from '../../../src/steps/plan/stored-slices.ts';
import { decideWave } from '../../../src/steps/waves/decide-wave.ts';
import type { Turn } from '../../../src/steps/waves/turns.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { readJson, writeMapItems } from '../../../src/store/json-object.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import type { StepName } from '../../../src/workflow/definition.ts';
import { storeOf } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** What Step Functions takes for an item. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const MAX_ITEM_BYTES = 256 * 1024;
/** An item of thousands of files or parts is as large as one of two. */
const SMALL_ITEM_BYTES = 512;

const LIMITS = { minRecords: 100, maxRecords: 50_000, maxBytes: 1024 ** 3, slots: 20 };
const RUN_URI = runUriOf('quarry-local', 'large');
const layout = runLayout(RUN_URI);

function bytesOf(item: unknown): number {
  return Buffer.byteLength(JSON.stringify(item));
}

async function openStore() {
  return createDirectoryStore(await temporaryDirectory());
}

const as = (step: StepName, store: ObjectStore) => ({
  store: storeOf(step, store, { bucket: 'quarry-local' }),
});

/** A dataset of so many small files. */
function manyFiles(count: number, rowsOfEach: number) {
  return {
    format: 'csv' as const,
    columns: [{ name: 'text', type: 'VARCHAR' }],
    rows: count * rowsOfEach,
    files: Array.from({ length: count }, (_, file) => ({
      uri: `s3://quarry-local/datasets/many/part-${String(file).padStart(6, '0')}.csv` as const,
      bytes: 1000,
      etag: `"${file}"`,
      rows: rowsOfEach,
    })),
  };
}

test('slices of 100,000 files are items of a few bytes, and each slice is read by its number', async () => {
  const store = await openStore();
  const slices = cutSlices(manyFiles(100_000, 30), {
    rows: 3_000_000,
    bytesPerRow: 100,
    limits: LIMITS,
    rowsPerSlice: 1_000_000,
    pilot: true,
  });
  expect(Math.max(...slices.map(bytesOf))).toBeGreaterThan(MAX_ITEM_BYTES);
  await writeSlices(slices, layout, as('plan', store));
  const items = await readJson(store, layout.slices, z.array(SliceItem));
  expect(items).toHaveLength(slices.length);
  expect(Math.max(...items.map(bytesOf))).toBeLessThan(SMALL_ITEM_BYTES);
  expect(await readSlices({ slices: slices.length }, layout, as('plan', store))).toEqual(slices);
});

test.each([
  ['names another slice', (text: string) => text.replace('1', '3')],
  ['breaks off', (text: string) => text.slice(0, -9)],
])('a list of slices that %s is written anew from the plan', async (_, harm) => {
  const store = await openStore();
  const limits = { rows: 1500, bytesPerRow: 100, limits: LIMITS, rowsPerSlice: 500, pilot: false };
  const slices = cutSlices(manyFiles(3, 500), limits);
  await writeSlices(slices, layout, as('plan', store));
  const before = Buffer.from(await store.read(layout.slices)).toString();
  await store.write(layout.slices, harm(before));
  expect(await readSlices({ slices: slices.length }, layout, as('plan', store))).toEqual(slices);
  await restoreItems(slices, layout, as('plan', store));
  expect(Buffer.from(await store.read(layout.slices)).toString()).toBe(before);
});

test('a slice that is lost with its copy is named', async () => {
  const store = await openStore();
  const limits = { rows: 1500, bytesPerRow: 100, limits: LIMITS, rowsPerSlice: 500, pilot: false };
  await writeSlices(cutSlices(manyFiles(3, 500), limits), layout, as('plan', store));
  for (const uri of [layout.slice(1), layout.sliceCopy(1)]) await store.delete(uri);
  await expect(readSlice(1, layout, as('prepare', store))).rejects.toThrow(
    /slices\/00001\.json is damaged: it is not there, nor is its copy\. Restore it from a copy of the folder/,
  );
});

test('slices that version 0.1.0 wrote into the items themselves are still read', async () => {
  const store = await openStore();
  const slices = cutSlices(manyFiles(3, 500), {
    rows: 1500,
    bytesPerRow: 100,
    limits: LIMITS,
    rowsPerSlice: 500,
    pilot: false,
  });
  await writeMapItems(store, layout.slices, slices);
  expect(await readSlices({ slices: slices.length }, layout, as('plan', store))).toEqual(slices);
  expect(await readSlice(1, layout, as('prepare', store))).toEqual(slices[1]);
});

/** Turns of so many parts, each of which owes ten records. */
function owingTurns(count: number): Turn[] {
  return Array.from({ length: count }, (_, index) => {
    const part_id = `p${String(index + 1).padStart(5, '0')}`;
    const part: WavePart = {
      run_uri: RUN_URI,
      part_id,
      variant: 0,
      wave: 1,
      attempt: 1,
      mode: 'batch',
      records: 100,
      bytes: 10_000,
      sources: [],
      run_max_usd: null,
    };
    const ledger: PartLedger = {
      part_id,
      wave: 1,
      rows: { total: 100, succeeded: 90, failed: 10, not_sent: 0 },
      tokens: { input: 900, output: 900 },
      reasons: [],
      stray_lines: 0,
      job_arn: 'arn',
      job_status: 'Completed',
      job_message: null,
      owed: { records: 10, bytes: 1000 },
    };
    return { part, ledger };
  });
}

test('repair parts of 30,000 owing parts are items of a few bytes, whose sources are in the wave’s file', () => {
  const turns = owingTurns(30_000);
  const prepared = turns.map(
    ({ part }, index): PreparedPart => ({
      part_id: part.part_id,
      variant: 0,
      first_row: index * 100,
      rows: 100,
      records: 100,
      bytes: 10_000,
    }),
  );
  const { parts, stop } = decideWave({
    runUri: RUN_URI,
    wave: 1,
    prepared,
    turns,
    limits: LIMITS,
    variants: [{ name: undefined, modelId: 'm', slots: 20 }],
    pilot: false,
    budget: undefined,
    stop: undefined,
    resumed: { wave: 0 },
    maxAttempts: 3,
  });
  expect(stop).toBeUndefined();
  expect(parts.reduce((sum, part) => sum + part.records, 0)).toBe(300_000);
  expect(Math.max(...parts.map(bytesOf))).toBeGreaterThan(MAX_ITEM_BYTES / 2);
  for (const part of parts) {
    const item = WaveItem.parse(toWaveItem(part));
    expect(bytesOf(item)).toBeLessThan(SMALL_ITEM_BYTES);
    expect(item.repair).toBe(true);
  }
});

test('what Merge is told of a part is its name and the wave, however many repair parts there are', () => {
  const item: MergeItem = { run_uri: RUN_URI, part_id: 'p00001', variant: 0, wave: 3 };
  expect(bytesOf(MergeItem.parse(item))).toBeLessThan(SMALL_ITEM_BYTES);
  const repairs = Array.from({ length: 30_000 }, (_, index) => ({
    part_id: `w2p${String(index).padStart(5, '0')}`,
    first_row: index,
    rows: 1,
  }));
  const plan: MergePlan = { parts: [{ part_id: 'p00001', variant: 0, repairs, elsewhere: true }] };
  expect(MergePlan.parse(plan)).toEqual(plan);
});
