import pLimit from 'p-limit';
import type { JobControl } from '../../bedrock/job-control.ts';
import { type Hash, jobNameMarkOf } from '../../core/job.ts';
import { PartLedger } from '../../core/ledger.ts';
import { PreparedParts, type WavePart, WaveParts } from '../../core/part.ts';
import { collectedEvent, type RunEvent } from '../../core/run-event.ts';
import { RunPlan } from '../../core/run-plan.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type RunLayout, runLayout, runUriOf } from '../../runs/run-layout.ts';
import { isJobOf, type JobNaming, jobHashOf } from '../../steps/part/part-job.ts';
import { readWaiting } from '../../steps/part/part-waiting.ts';
import { readJson, readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** Tells what is new in the files of a run, and of its jobs. */
export interface RunFilesWatch {
  /** The run's plan; undefined until there is one. */
  plan(): Promise<RunPlan | undefined>;
  /** Emits what was prepared, dispatched and collected since the last call. */
  lookAtFiles(): Promise<void>;
  /** Emits the jobs of the present wave whose status or count has changed. */
  lookAtJobs(): Promise<void>;
}

/** What is watched. */
export interface WatchOptions {
  runId: string;
  bucket: string;
  store: ObjectStore;
  jobs: JobControl;
  hash: Hash;
  onProgress: (progress: RunEvent) => void;
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;
/** Milliseconds by which the clocks of a function and of Bedrock may differ. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** Begins to watch a run: the first look emits all that has been so far. */
export function watchRunFiles(options: WatchOptions): RunFilesWatch {
  const { runId, bucket, store, onProgress } = options;
  const layout = runLayout(runUriOf(bucket, runId));
  let known: RunPlan | undefined;
  const slicesSeen = new Set<S3Uri>();
  const ledgersSeen = new Set<S3Uri>();
  const waitsSeen = new Map<S3Uri, string>();
  const jobsSeen = new Map<string, string>();
  let wave: { number: number; parts: WavePart[] } | undefined;

  const plan = async (): Promise<RunPlan | undefined> => {
    if (known === undefined) {
      known = await readJsonIfPresent(store, layout.plan, RunPlan);
      if (known !== undefined) onProgress({ kind: 'planned', plan: known, isPaid: true });
    }
    return known;
  };

  const lookAtSlices = async (): Promise<void> => {
    if (known === undefined || slicesSeen.size === known.slices) return;
    const fresh = await listFresh(store, folderOf(layout.sliceParts(0)), slicesSeen);
    const read = await pLimit(CONCURRENT_READS).map(fresh, (uri) => readJson(store, uri, PreparedParts));
    for (const { part_id: partId, rows, records } of read.flat()) {
      onProgress({ kind: 'prepared', partId, rows, records });
    }
    for (const uri of fresh) slicesSeen.add(uri);
  };

  const lookAtLedgers = async (parts: readonly WavePart[], present: ReadonlySet<S3Uri>): Promise<void> => {
    const fresh = parts
      .map(({ part_id }) => layout.ledger(part_id))
      .filter((uri) => present.has(uri) && !ledgersSeen.has(uri));
    const ledgers = await pLimit(CONCURRENT_READS).map(fresh, (uri) => readJson(store, uri, PartLedger));
    for (const ledger of ledgers) onProgress(collectedEvent(ledger));
    for (const uri of fresh) ledgersSeen.add(uri);
  };

  const lookAtWaits = async (parts: readonly WavePart[], done: ReadonlySet<S3Uri>): Promise<void> => {
    for await (const { uri, etag } of store.list(folderOf(layout.submitWaiting('')))) {
      const part = parts.find(({ part_id }) => layout.submitWaiting(part_id) === uri);
      if (part === undefined || done.has(layout.ledger(part.part_id)) || waitsSeen.get(uri) === etag)
        continue;
      waitsSeen.set(uri, etag);
      const waiting = await readWaiting(part.part_id, layout, store);
      if (waiting !== undefined) onProgress({ kind: 'waiting', partId: part.part_id, ...waiting });
    }
  };

  return {
    plan,
    lookAtFiles: async () => {
      if ((await plan()) === undefined) return;
      await lookAtSlices();
      const present = new Set(
        await Array.fromAsync(store.list(folderOf(layout.ledger(''))), ({ uri }) => uri),
      );
      for (;;) {
        if (wave !== undefined) await lookAtLedgers(wave.parts, present);
        const number = (wave?.number ?? 0) + 1;
        const parts = await readJsonIfPresent(store, layout.waveParts(number), WaveParts);
        if (parts === undefined) {
          if (wave !== undefined) await lookAtWaits(wave.parts, present);
          return;
        }
        wave = { number, parts };
        onProgress({ kind: 'dispatched', wave: number, parts });
      }
    },
    lookAtJobs: async () => {
      if (known === undefined || wave === undefined) return;
      const partIds = new Set(wave.parts.map(({ part_id }) => part_id));
      for await (const job of jobsOfRun(known, options)) {
        const { jobArn, partId, status, totalRecords = null, processedRecords = null } = job;
        const state = `${status} ${processedRecords}`;
        if (!partIds.has(partId) || jobsSeen.get(jobArn) === state) continue;
        jobsSeen.set(jobArn, state);
        onProgress({ kind: 'job', partId, jobArn, status, totalRecords, processedRecords });
      }
    },
  };
}

/** The jobs of a run, the newest first: those too whose record was lost. */
export async function* jobsOfRun(
  plan: JobNaming,
  { jobs, hash, bucket }: Pick<WatchOptions, 'jobs' | 'hash' | 'bucket'>,
) {
  const layout = layoutOf(bucket, plan.run_id);
  const mark = jobNameMarkOf(jobHashOf(plan, layout.runUri, hash));
  const submittedAfter = new Date(Date.parse(plan.created_at) - CLOCK_SKEW_MS);
  for await (const job of jobs.listJobs({ submittedAfter, nameContains: mark })) {
    const partId = job.jobName.slice(job.jobName.indexOf(mark) + mark.length);
    if (isJobOf(job, { layout, partId })) yield { ...job, partId };
  }
}

async function listFresh(store: ObjectStore, folder: S3Uri, seen: ReadonlySet<S3Uri>): Promise<S3Uri[]> {
  const uris = await Array.fromAsync(store.list(folder), ({ uri }) => uri);
  return uris.filter((uri) => !seen.has(uri));
}

/** The folder of an object, with its `/`. */
function folderOf(uri: S3Uri): S3Uri {
  return uri.slice(0, uri.lastIndexOf('/') + 1) as S3Uri;
}

/** The keys of a run in a bucket. */
export function layoutOf(bucket: string, runId: string): RunLayout {
  return runLayout(runUriOf(bucket, runId));
}
