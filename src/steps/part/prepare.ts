import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { z } from 'zod';
import { InvalidDatasetError } from '../../core/errors.ts';
import { type PreparedPart, PreparedParts, type Slice } from '../../core/plan/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { fetchLaidRows } from '../../rows/answers/laid-answers.ts';
import { type PrepareRequest, prepareSlice } from '../../rows/prepare/prepare-slice.ts';
import { openResult, type RemoteResult } from '../../rows/results/read-results.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import type { LocalDatasetFile } from '../../rows/sources/describe-dataset.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { ObjectInfo, ObjectStore } from '../../store/object-store.ts';
import { askedOf } from '../answers/asked.ts';
import type { StepDeps } from '../deps.ts';
import { withDatasetFiles, withLocalFiles } from '../plan/dataset-files.ts';
import { openMediaOfRun } from '../plan/media-of-run.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { readSlice } from '../plan/stored-slices.ts';
import { type PlannedRun, readPlan, variantOf } from '../run/read-plan.ts';
import { RunUri } from '../run/run-state.ts';
import { keepPartFiles, lacksFiles, requireWhole } from './part-files.ts';

/** One item of Prepare's Distributed Map. */
export const PrepareInput = z.object({ run_uri: RunUri, slice: z.int().min(0) });
export type PrepareInput = z.infer<typeof PrepareInput>;

/**
 * One pass over a slice: the records and the rows of each of its parts. A slice that is done is left as it is;
 * one that was broken off is made again, to the same bytes.
 */
export async function prepare(item: PrepareInput, deps: StepDeps): Promise<{ parts: number }> {
  const { store } = deps;
  const run = await readPlan(item.run_uri, deps);
  const { layout, plan } = run;
  const done = await readJsonIfPresent(store, layout.sliceParts(item.slice), PreparedParts);
  if (done !== undefined && !(await isIncomplete(done, { layout, store }))) return { parts: done.length };
  const slice = await readSlice(item.slice, layout, deps);
  const needed = new Set(slice.reads.map(({ uri }) => uri));
  const files = plan.dataset.files
    .filter(({ uri }) => needed.has(uri))
    .map((file) => ({ ...file, size: file.bytes }));
  const scratchDirectory = join(deps.scratchDirectory, plan.run_id, `slice-${slice.slice}`);
  await mkdir(scratchDirectory, { recursive: true });
  const parts: PreparedPart[] = [];
  try {
    await expectUnchanged(files, store);
    const duplicates: ObjectInfo[] =
      plan.duplicates === 0 ? [] : [{ uri: layout.duplicates, size: 0, etag: '' }];
    if (plan.duplicates_file !== undefined) {
      await requireWhole(layout.duplicates, {
        facts: plan.duplicates_file,
        store,
        advice: () => 'Restore it from a copy, or start a new run under another run_id.',
      });
    }
    await using laid = await fetchLaid(run, { slice, scratchDirectory }, deps);
    await withLocalFiles(duplicates, store, ([known]) =>
      withDatasetFiles(files, { store, scratchDirectory, format: plan.dataset.format }, async (local) => {
        for (const variant of new Set(slice.parts.map((part) => part.variant))) {
          const { call } = variantOf(run, { part_id: '', variant });
          const media = await openMediaOfRun(run.input, call, { ...deps, dataset: plan.dataset });
          const ofVariant = slice.parts.filter((part) => part.variant === variant);
          const unsent = { duplicatesPath: known?.path, laidPath: laid?.path };
          await prepareSlice({
            ...requestOf(run, { slice: { ...slice, parts: ofVariant }, local, unsent }, deps),
            media,
            maxBytes: deps.settings.quotas.maxInputFileBytes,
            rowsCompression: store.localPath === undefined ? 'snappy' : 'uncompressed',
            scratchDirectory,
            emit: async (part, { recordsPath, rowsPath }) => {
              await keepPartFiles(part.part_id, { recordsPath, rowsPath }, { layout, store });
              deps.onProgress?.({
                kind: 'prepared',
                partId: part.part_id,
                rows: part.rows,
                records: part.records,
              });
              parts.push(part);
            },
          });
        }
      }),
    );
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
  await writeJson(store, layout.sliceParts(slice.slice), parts);
  return { parts: parts.length };
}

/** True where somebody has deleted a file that the run still needs, as it was damaged. */
async function isIncomplete(
  parts: readonly PreparedPart[],
  { layout, store }: { layout: RunLayout; store: ObjectStore },
): Promise<boolean> {
  if ((await store.head(layout.summary)) !== undefined) return false;
  for (const part of parts) if (await lacksFiles(part, { layout, store })) return true;
  return false;
}

/** The answers that are laid into rows of a slice: of a file that is not here, those alone. Undefined where none are laid. */
async function fetchLaid(
  { layout, plan }: PlannedRun,
  { slice, scratchDirectory }: { slice: Slice; scratchDirectory: string },
  { store }: StepDeps,
): Promise<RemoteResult | undefined> {
  const file = plan.reuse?.file;
  if (file === undefined) return undefined;
  await requireWhole(layout.laid(file.sha256), {
    facts: file,
    store,
    advice: () => 'Restore it from a copy, or start a new run under another run_id: its answers are kept.',
  });
  const laid = await openResult(resultObject(layout.laid(file.sha256), { store, scratchDirectory }));
  const firstRow = Math.min(...slice.parts.map((part) => part.first_row));
  const end = Math.max(...slice.parts.map((part) => part.first_row + part.rows));
  await fetchLaidRows(laid, { range: { firstRow, rows: end - firstRow }, scratchDirectory });
  return laid;
}

/** What is made of which rows: of parts of one variant. */
function requestOf(
  run: PlannedRun,
  { slice, local, unsent }: { slice: Slice; local: readonly LocalDatasetFile[]; unsent: UnsentPaths },
  { settings }: StepDeps,
): Pick<PrepareRequest, 'slice' | 'dataset' | 'fileOf' | 'frame' | 'unsent' | 'recordIdColumn'> {
  const { plan, input } = run;
  const [first] = slice.parts;
  const { model, input: asInput, call } = variantOf(run, first ?? { part_id: '', variant: 0 });
  const files = new Map(local.map((file) => [file.uri, file]));
  const { duplicatesPath, laidPath } = unsent;
  const isAllSent = duplicatesPath === undefined && laidPath === undefined;
  return {
    slice,
    dataset: plan.dataset,
    fileOf: (uri) => {
      const file = files.get(uri);
      if (file === undefined) throw new Error(`The plan of ${plan.run_id} has no file ${uri}.`);
      return file;
    },
    frame: call.frame,
    unsent: isAllSent
      ? undefined
      : {
          asked: askedOf({ model }, settings),
          duplicatesPath,
          laid:
            laidPath === undefined
              ? undefined
              : { path: laidPath, columns: resultColumnsOfRun(asInput, call) },
        },
    recordIdColumn: input.record_id_column,
  };
}

/** Local files that say which rows are not sent. */
interface UnsentPaths {
  duplicatesPath: string | undefined;
  laidPath: string | undefined;
}

/** Objects that are looked at at once. */
const CONCURRENT_HEADS = 16;

/** Throws InvalidDatasetError where an object is not the one that was planned: its rows would be others. */
async function expectUnchanged(files: readonly ObjectInfo[], store: ObjectStore): Promise<void> {
  const limit = pLimit(CONCURRENT_HEADS);
  const identityOf = async (uri: S3Uri) => {
    const object = await store.head(uri);
    return object && [object.etag, await store.identityOf(object)];
  };
  const identities = await Promise.all(files.map(({ uri }) => limit(() => identityOf(uri))));
  for (const [index, { uri, etag }] of files.entries()) {
    const now = identities[index];
    if (now?.includes(etag) !== true) {
      throw new InvalidDatasetError(
        `${uri} ${now === undefined ? 'is gone' : 'has changed'} since the run was planned. Start a new run.`,
      );
    }
  }
}
