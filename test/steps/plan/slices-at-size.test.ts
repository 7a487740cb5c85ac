import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Bedrock } from '../../../src/bedrock/bedrock.ts';
import { createVirtualClock } from '../../../src/core/clock.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { runLayout } from '../../../src/runs/run-layout.ts';
import type { StepDeps } from '../../../src/steps/deps.ts';
import { type PrepareInput, prepare as prepareSlice } from '../../../src/steps/part/prepare.ts';
import { plan } from '../../../src/steps/plan/plan.ts';
import { readSlices } from '../../../src/steps/plan/stored-slices.ts';
import { readPlan } from '../../../src/steps/run/read-plan.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { LOCAL_BUCKET, localPlanDeps } from '../../../src/targets/local/local-target.ts';
import { asRemote, bytesOf, overlapOf } from '../../support/remote-store.ts';
import { asStep, readStepPolicies, underPolicies } from '../../support/step-policies.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PARQUET = `s3://${LOCAL_BUCKET}/data/rows.parquet` as const;
const STACK = readStepPolicies();
const INPUT = {
  model_id: 'us.amazon.nova-lite-v1:0',
  prompt_template: '{text}?',
  run_id: 'sliced',
  // Jobs as full as they can be.
  min_records_per_job_spread: 1_000_000,
};

/** A place to plan and prepare in, with slices of so many rows. */
async function place(rowsPerSlice: number, toStore: (store: ObjectStore) => ObjectStore = (store) => store) {
  const directory = await temporaryDirectory();
  const planDeps = localPlanDeps({ directory, clock: createVirtualClock(), version: '0.0.0' });
  const deps: StepDeps = {
    ...planDeps,
    store: toStore(planDeps.store),
    bedrock: {} as Bedrock,
    settings: { ...planDeps.settings, rowsPerSlice },
  };
  return { directory, deps, inner: planDeps.store };
}

/** 40,960 rows of random text in row groups of 10,240. */
async function putParquet(directory: string, store: ObjectStore): Promise<void> {
  const path = join(directory, 'made.parquet');
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  await db.run(
    `COPY (SELECT range AS id, md5(CAST(range AS VARCHAR)) || md5('x' || range) AS text, md5('y' || range) AS more FROM range(40960)) TO ${sqlText(path)} (FORMAT PARQUET, ROW_GROUP_SIZE 10240)`,
  );
  await store.putFile(path, PARQUET);
}

async function planned(input: Record<string, unknown>, deps: StepDeps) {
  const { run_uri } = await asStep('plan', () => plan({ ...INPUT, ...input }, underPolicy(deps)));
  const layout = runLayout(run_uri);
  const known = await readPlan(run_uri, deps);
  return { run_uri, layout, slices: await readSlices(known.plan, layout, deps) };
}

/** Prepares as Prepare's function may. */
function prepare(input: PrepareInput, deps: StepDeps) {
  return asStep('prepare', () => prepareSlice(input, underPolicy(deps)));
}

const underPolicy = (deps: StepDeps): StepDeps => ({ ...deps, ...underPolicies(deps, { policies: STACK }) });

test('two Prepare steps on halves of one Parquet file read disjoint bytes, and neither reads all of it', async () => {
  const remotes: ReturnType<typeof asRemote>[] = [];
  const { directory, deps, inner } = await place(20_480, (store) => {
    const remote = asRemote(store);
    remotes.push(remote);
    return remote.store;
  });
  await putParquet(directory, inner);
  const { size = 0 } = (await inner.head(PARQUET)) ?? {};
  const { run_uri, slices, layout } = await planned({ s3_uri: PARQUET, max_records_per_job: 20_480 }, deps);
  expect(slices).toHaveLength(2);
  const [ofPlan] = remotes;
  expect(ofPlan?.downloads).toEqual([]);
  // Of the columns, Plan reads the one of the prompt, to see how long prompts are.
  expect(bytesOf(ofPlan?.ranges ?? [])).toBeLessThan(0.75 * size);

  const read = await Promise.all(
    slices.map(async (slice) => {
      const remote = asRemote(inner);
      await prepare({ run_uri, slice: slice.slice }, { ...deps, store: remote.store });
      expect(remote.downloads).toEqual([]);
      // The end of the file, which both read for its footer.
      return remote.ranges.filter(({ uri, end }) => uri === PARQUET && end < size - 1);
    }),
  );
  const [one = [], other = []] = read;
  expect(overlapOf(one, other)).toBe(0);
  for (const ranges of read) {
    expect(bytesOf(ranges)).toBeGreaterThan(0.45 * size);
    expect(bytesOf(ranges)).toBeLessThan(0.5 * size);
  }

  const direct = await place(1e9);
  await putParquet(direct.directory, direct.inner);
  const whole = await planned({ s3_uri: PARQUET, max_records_per_job: 20_480 }, direct.deps);
  for (const slice of whole.slices)
    await prepare({ run_uri: whole.run_uri, slice: slice.slice }, direct.deps);
  for (const part of ['p00001', 'p00002']) {
    const [a, b] = [await inner.read(layout.records(part)), await direct.inner.read(layout.records(part))];
    expect(createHash('sha256').update(a).digest('hex')).toBe(createHash('sha256').update(b).digest('hex'));
  }
});

test('where a part ends within a row group, two Prepare steps share no more than that group', async () => {
  const { directory, deps, inner } = await place(15_000, (store) => asRemote(store).store);
  await putParquet(directory, inner);
  const { size = 0 } = (await inner.head(PARQUET)) ?? {};
  const { run_uri, slices } = await planned({ s3_uri: PARQUET, max_records_per_job: 15_000 }, deps);
  expect(slices).toHaveLength(3);
  const read = await Promise.all(
    slices.map(async (slice) => {
      const remote = asRemote(inner);
      await prepare({ run_uri, slice: slice.slice }, { ...deps, store: remote.store });
      return remote.ranges.filter(({ uri, end }) => uri === PARQUET && end < size - 1);
    }),
  );
  expect(overlapOf(read[0] ?? [], read[1] ?? [])).toBeLessThan(0.26 * size);
  expect(overlapOf(read[0] ?? [], read[2] ?? [])).toBe(0);
});

test('text files are shared out among Prepare steps, each read by one of them', async () => {
  const remotes: ReturnType<typeof asRemote>[] = [];
  const { directory, deps, inner } = await place(300, (store) => {
    const remote = asRemote(store);
    remotes.push(remote);
    return remote.store;
  });
  for (let file = 0; file < 6; file += 1) {
    const path = join(directory, 'made.csv');
    const lines = Array.from({ length: 150 }, (_, row) => `${file * 150 + row}`);
    await writeFile(path, `text\n${lines.join('\n')}\n`);
    await inner.putFile(path, `s3://${LOCAL_BUCKET}/texts/${file}.csv`);
  }
  const { run_uri, slices, layout } = await planned(
    { s3_uri: `s3://${LOCAL_BUCKET}/texts`, max_records_per_job: 120 },
    deps,
  );
  expect(slices).toHaveLength(3);
  const lines: string[] = [];
  for (const slice of slices) {
    const remote = asRemote(inner);
    await prepare({ run_uri, slice: slice.slice }, { ...deps, store: remote.store });
    expect(remote.downloads).toHaveLength(2);
    for (const { part_id } of slice.parts) {
      lines.push(
        ...(await readFile(inner.localPath?.(layout.records(part_id)) ?? '', 'utf8')).trim().split('\n'),
      );
    }
  }
  const ids = lines.map((line) => JSON.parse(line).recordId);
  expect(ids).toEqual(Array.from({ length: 900 }, (_, row) => `r${String(row).padStart(10, '0')}`));
});

test('a file that changed after it was planned is refused, whatever it holds now', async () => {
  const { directory, deps, inner } = await place(1e9);
  await putParquet(directory, inner);
  const { run_uri, slices } = await planned({ s3_uri: PARQUET }, deps);
  const [slice] = slices;
  if (slice === undefined) throw new Error('No slice.');
  await inner.write(PARQUET, `${await inner.read(PARQUET)} `);
  await expect(prepare({ run_uri, slice: slice.slice }, deps)).rejects.toThrow(
    /rows\.parquet has changed since the run was planned/,
  );
  await inner.delete(PARQUET);
  await expect(prepare({ run_uri, slice: slice.slice }, deps)).rejects.toThrow(
    /rows\.parquet is gone since the run was planned/,
  );
});

test('the parts’ rows are compressed for a store across the network, and for a disk they are not', async () => {
  const { directory, deps, inner } = await place(40_960);
  await putParquet(directory, inner);
  const codecsOf = async (store: ObjectStore, run_id: string) => {
    const at = { ...deps, store };
    const { run_uri, layout, slices } = await planned({ s3_uri: PARQUET, run_id }, at);
    for (const slice of slices) await prepare({ run_uri, slice: slice.slice }, at);
    const [part] = slices[0]?.parts ?? [];
    const path = inner.localPath?.(layout.rows(part?.part_id ?? '')) ?? '';
    await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
    const codecs = await db.rows(`SELECT DISTINCT compression FROM parquet_metadata(${sqlText(path)})`);
    return codecs.map(({ compression }) => compression);
  };
  expect(await codecsOf(inner, 'on-a-disk')).toEqual(['UNCOMPRESSED']);
  expect(await codecsOf(asRemote(inner).store, 'far-away')).toEqual(['SNAPPY']);
});
