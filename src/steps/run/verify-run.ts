import { DamagedFileError, ObjectNotFoundError } from '../../core/errors.ts';
import { JobRecord } from '../../core/jobs/job-record.ts';
import { SliceItems } from '../../core/plan/part.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { RunSummary } from '../../core/run/summary.ts';
import { parseRunInput, variantsOf } from '../../core/run-input/run-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { countRows } from '../../rows/results/read-results.ts';
import { recountResults } from '../../rows/results/recount-results.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { digestOf } from '../../store/content-digest.ts';
import { readJson, readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { readSlices } from '../plan/stored-slices.ts';
import {
  isThere,
  type JoinedFile,
  listJoinedFiles,
  listResultFiles,
  type ResultFile,
} from './result-files.ts';

/** A file that is not as it should be. */
export interface BrokenFile {
  /** Its path on this machine, or its URI. */
  file: string;
  fault: string;
  /** What to do about it. */
  advice: string;
}

/** What was looked at, and what was wrong with it. */
export interface Verification {
  outputFiles: number;
  rows: number;
  broken: BrokenFile[];
}

/**
 * Reads every file of a run: its documents, and each output file whole: its rows, and its SHA-256 where the ledger has it. Changes
 * nothing.
 */
export async function verifyRun(layout: RunLayout, store: ObjectStore): Promise<Verification> {
  const broken: BrokenFile[] = [];
  const noting = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DamagedFileError || error instanceof ObjectNotFoundError)) throw error;
      const [file = '', ...rest] = error.message.split(' is damaged: ');
      broken.push({ file, fault: rest.join(' is damaged: ') || 'It is not there.', advice: '' });
    }
  };
  const plan = await readJson(store, layout.plan, RunPlan);
  await noting(() => readJson(store, layout.slices, SliceItems));
  await noting(() => readSlices(plan, layout, { store }));
  await noting(() => readJsonIfPresent(store, layout.summary, RunSummary));
  const jobs = layout.job('').replace(/\.json$/, '') as S3Uri;
  for await (const { uri } of store.list(jobs)) {
    // Below, there is why jobs had to wait.
    if (uri.slice(jobs.length).includes('/')) continue;
    await noting(() => readJson(store, uri, JobRecord));
  }
  let files: ResultFile[] = [];
  await noting(async () => {
    files = await listResultFiles(plan, layout, store);
  });
  for (const file of files) {
    const fault = await faultOf(file, {
      outputColumn: (plan.variants[file.variant] ?? plan.variants[0]).output_column,
      isTyped: isTyped(plan, file.variant),
      isReusing: plan.reuse !== undefined,
      store,
    });
    if (fault === undefined) continue;
    const place = store.localPath?.(file.uri) ?? file.uri;
    broken.push({ file: place, fault, advice: await adviceFor(file, { place, store }) });
  }
  let joined: JoinedFile[] = [];
  await noting(async () => {
    joined = await listJoinedFiles(plan, layout, store);
  });
  for (const file of joined) {
    const fault = await faultOfJoined(file, store);
    if (fault === undefined) continue;
    const place = store.localPath?.(file.uri) ?? file.uri;
    broken.push({ file: place, fault, advice: await adviceFor(file, { place, store }) });
  }
  return {
    outputFiles: files.length + joined.length,
    rows: files.reduce((sum, { rows }) => sum + rows.total, 0),
    broken,
  };
}

/** True where the answers of a variant are objects of a schema. */
function isTyped({ input }: RunPlan, variant: number): boolean {
  return variantsOf(parseRunInput(input))[variant]?.input.output_schema !== undefined;
}

/** What is wrong with an output file of several variants; undefined where nothing is. */
async function faultOfJoined(
  { uri, rows, facts }: JoinedFile,
  store: ObjectStore,
): Promise<string | undefined> {
  if ((await store.head(uri)) === undefined) return 'It is not there.';
  await using local = await store.fetchFile(uri);
  if ((await digestOf(local.path)) !== facts.sha256) {
    return 'Its content has changed since it was written: its SHA-256 is not the one in the ledger.';
  }
  const counted = await countRows([local.path]);
  return counted === rows ? undefined : `It has ${counted} rows, and its ledger ${rows}.`;
}

/** What is wrong with an output file; undefined where nothing is. */
async function faultOf(
  { uri, rows, facts }: ResultFile,
  {
    outputColumn,
    store,
    ...kind
  }: { outputColumn: string; isTyped: boolean; isReusing: boolean; store: ObjectStore },
): Promise<string | undefined> {
  const info = await store.head(uri);
  if (info === undefined) return 'It is not there.';
  if (facts !== undefined && info.size !== facts.bytes) {
    return `It has ${info.size} bytes, and had ${facts.bytes} when it was written.`;
  }
  await using local = await store.fetchFile(uri);
  if (facts !== undefined && (await digestOf(local.path)) !== facts.sha256) {
    return 'Its content has changed since it was written: its SHA-256 is not the one in the ledger.';
  }
  try {
    const { rows: counted } = await recountResults([local.path], outputColumn, kind);
    if (JSON.stringify(counted) === JSON.stringify(rows)) return undefined;
    return `It has the rows ${JSON.stringify(counted)}, and its ledger ${JSON.stringify(rows)}.`;
  } catch (error) {
    return `It cannot be read: ${(error as Error).message.split('\n')[0]}`;
  }
}

async function adviceFor(
  { sources }: Pick<ResultFile, 'sources'>,
  { place, store }: { place: string; store: ObjectStore },
): Promise<string> {
  for (const source of sources) {
    if (await isThere(source, store)) continue;
    return `It cannot be written again: ${store.localPath?.(source) ?? source}, which it was made from, no longer exists. Restore either of them from a copy.`;
  }
  return `Delete ${place}, and resume the run: it is collected again from what its job left, and nothing is paid for twice.`;
}
