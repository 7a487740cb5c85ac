import pLimit from 'p-limit';
import { systemClock } from '../core/clock.ts';
import type { JobStatus } from '../core/jobs/job.ts';
import { JobRecord } from '../core/jobs/job-record.ts';
import { PreparedParts, type WavePart, WaveParts } from '../core/plan/part.ts';
import { RunPlan } from '../core/plan/run-plan.ts';
import { PartLedger } from '../core/run/ledger.ts';
import { collectedEvent, type RunEvent } from '../core/run/run-event.ts';
import type { Waiting } from '../core/run/waiting.ts';
import type { S3Uri } from '../core/s3-uri.ts';
import { readJson, readJsonIfPresent } from '../store/json-object.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { RunLayout } from './run-layout.ts';
import { EMPTY_SNAPSHOT, type RunSnapshot, reduceRun } from './run-snapshot.ts';
import { readStepWaits, type StepWaiting, stepWaitingText } from './step-waiting.ts';

/** Tells what is new in the files of a run, and of its jobs. */
export interface RunFilesWatch {
  /** The run's plan; undefined until there is one. */
  plan(): Promise<RunPlan | undefined>;
  /** Emits what was prepared, dispatched and collected since the last call. */
  lookAtFiles(): Promise<void>;
  /** Steps of the whole run that are tried again, as of the last look at its files. */
  retries(): readonly StepWaiting[];
  /** Emits the jobs that were submitted in the present wave, as far as the run's own files tell of them. */
  lookAtRecords(): Promise<void>;
  /** Emits the jobs of the present wave whose status or count has changed. */
  lookAtJobs(): Promise<void>;
}

/** A job of a run as the service tells of it. */
export interface SeenJob {
  partId: string;
  jobArn: string;
  status: JobStatus;
  /** ISO 8601; empty where it is not told. */
  submittedAt: string;
  totalRecords: number | undefined;
  processedRecords: number | undefined;
}

/** What is watched. */
export interface WatchOptions {
  layout: RunLayout;
  store: ObjectStore;
  /** The jobs of a planned run, where the service may be asked for them. */
  jobsOf?: ((plan: RunPlan) => AsyncIterable<SeenJob>) | undefined;
  /** Why a part of a wave waits, by its files. */
  waitingOf: (partId: string) => Promise<Waiting | undefined>;
  /** False where a simulated model answers. */
  isPaid: boolean;
  onProgress: (event: RunEvent) => void;
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;

/** Begins to watch a run: the first look emits all that has been so far. */
export function watchRunFiles(options: WatchOptions): RunFilesWatch {
  return new Watch(options);
}

class Watch implements RunFilesWatch {
  readonly #options: WatchOptions;
  readonly #slicesSeen = new Set<S3Uri>();
  readonly #ledgersSeen = new Set<S3Uri>();
  readonly #waitsSeen = new Map<S3Uri, string>();
  readonly #jobsSeen = new Map<string, string>();
  #retries: readonly StepWaiting[] = [];
  #plan: RunPlan | undefined;
  #wave: { number: number; parts: WavePart[] } | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async plan(): Promise<RunPlan | undefined> {
    const { layout, store, isPaid, onProgress } = this.#options;
    if (this.#plan === undefined) {
      this.#plan = await readJsonIfPresent(store, layout.plan, RunPlan);
      if (this.#plan !== undefined) onProgress({ kind: 'planned', plan: this.#plan, isPaid });
    }
    return this.#plan;
  }

  async lookAtFiles(): Promise<void> {
    const plan = await this.plan();
    if (plan === undefined) return;
    await this.#lookAtSlices(plan);
    const { layout, store, onProgress } = this.#options;
    const present = new Set(await listUris(store, folderOf(layout.ledger(''))));
    for (;;) {
      if (this.#wave !== undefined) await this.#lookAtLedgers(this.#wave.parts, present);
      const number = (this.#wave?.number ?? 0) + 1;
      const parts = await readJsonIfPresent(store, layout.waveParts(number), WaveParts);
      if (parts === undefined) {
        await this.#lookAtWaits(this.#wave?.parts ?? [], present);
        return;
      }
      this.#wave = { number, parts };
      onProgress({ kind: 'dispatched', wave: number, parts });
    }
  }

  retries(): readonly StepWaiting[] {
    return this.#retries;
  }

  async lookAtRecords(): Promise<void> {
    const { layout, store, waitingOf, onProgress } = this.#options;
    const open =
      this.#wave?.parts.filter(({ part_id }) => !this.#ledgersSeen.has(layout.ledger(part_id))) ?? [];
    const records = await pLimit(CONCURRENT_READS).map(open, ({ part_id }) =>
      readJsonIfPresent(store, layout.job(part_id), JobRecord),
    );
    for (const record of records) {
      // Whoever was asked for it has told more.
      if (record?.job_arn == null || this.#jobsSeen.has(record.job_arn)) continue;
      this.#jobsSeen.set(record.job_arn, 'Submitted');
      onProgress(submittedEvent(record, record.job_arn));
    }
    // Once more and of every part: those that are run on demand, or whose answers are not there yet, wait too.
    const waits = await pLimit(CONCURRENT_READS).map(open, async ({ part_id: partId }) => ({
      partId,
      waiting: await waitingOf(partId),
    }));
    for (const { partId, waiting } of waits) {
      if (waiting !== undefined) onProgress({ kind: 'waiting', partId, ...waiting });
    }
  }

  async lookAtJobs(): Promise<void> {
    const { jobsOf, onProgress } = this.#options;
    if (jobsOf === undefined || this.#plan === undefined || this.#wave === undefined) return;
    const partIds = new Set(this.#wave.parts.map(({ part_id }) => part_id));
    for await (const job of jobsOf(this.#plan)) {
      const { jobArn, partId, status, totalRecords = null, processedRecords = null } = job;
      const state = `${status} ${processedRecords}`;
      if (!partIds.has(partId) || this.#jobsSeen.get(jobArn) === state) continue;
      this.#jobsSeen.set(jobArn, state);
      const submittedAt = job.submittedAt || null;
      onProgress({ kind: 'job', partId, jobArn, status, submittedAt, totalRecords, processedRecords });
    }
  }

  async #lookAtSlices(plan: RunPlan): Promise<void> {
    const { layout, store, onProgress } = this.#options;
    if (this.#slicesSeen.size === plan.slices) return;
    const present = await listUris(store, folderOf(layout.sliceParts(0)));
    const fresh = present.filter((uri) => !this.#slicesSeen.has(uri));
    const read = await pLimit(CONCURRENT_READS).map(fresh, (uri) => readJson(store, uri, PreparedParts));
    for (const { part_id: partId, rows, records } of read.flat()) {
      onProgress({ kind: 'prepared', partId, rows, records });
    }
    for (const uri of fresh) this.#slicesSeen.add(uri);
  }

  async #lookAtLedgers(parts: readonly WavePart[], present: ReadonlySet<S3Uri>): Promise<void> {
    const { layout, store, onProgress } = this.#options;
    const fresh = parts
      .map(({ part_id }) => layout.ledger(part_id))
      .filter((uri) => present.has(uri) && !this.#ledgersSeen.has(uri));
    const ledgers = await pLimit(CONCURRENT_READS).map(fresh, (uri) => readJson(store, uri, PartLedger));
    for (const ledger of ledgers) onProgress(collectedEvent(ledger));
    for (const uri of fresh) this.#ledgersSeen.add(uri);
  }

  async #lookAtWaits(parts: readonly WavePart[], done: ReadonlySet<S3Uri>): Promise<void> {
    const { layout, store, waitingOf, onProgress } = this.#options;
    const words = await Array.fromAsync(store.list(folderOf(layout.submitWaiting(''))));
    await this.#lookAtRetries(words.map(({ uri }) => uri));
    for (const { uri, etag } of words) {
      const part = parts.find(({ part_id }) => layout.submitWaiting(part_id) === uri);
      if (part === undefined || done.has(layout.ledger(part.part_id))) continue;
      if (this.#waitsSeen.get(uri) === etag) continue;
      this.#waitsSeen.set(uri, etag);
      const waiting = await waitingOf(part.part_id);
      if (waiting !== undefined) onProgress({ kind: 'waiting', partId: part.part_id, ...waiting });
    }
  }

  async #lookAtRetries(uris: readonly S3Uri[]): Promise<void> {
    const { store, onProgress } = this.#options;
    const before = new Set(this.#retries.map(stepWaitingText));
    this.#retries = await readStepWaits(uris, store, systemClock.now());
    for (const message of this.#retries.map(stepWaitingText)) {
      if (!before.has(message)) onProgress({ kind: 'notice', message });
    }
  }
}

/** A job of which no more is known than that it was submitted. */
function submittedEvent({ part_id: partId, submitted_at: submittedAt }: JobRecord, jobArn: string): RunEvent {
  const unknown = { totalRecords: null, processedRecords: null };
  return { kind: 'job', partId, jobArn, status: 'Submitted', submittedAt, ...unknown };
}

/** A run as its files, and the service where it may be asked, tell of it now; and its steps that are tried again. */
export async function readSnapshot(
  options: Omit<WatchOptions, 'onProgress'>,
): Promise<RunSnapshot & { retries: readonly StepWaiting[] }> {
  let snapshot = EMPTY_SNAPSHOT;
  const watch = watchRunFiles({
    ...options,
    onProgress: (event) => {
      snapshot = reduceRun(snapshot, event);
    },
  });
  await watch.lookAtFiles();
  await watch.lookAtRecords();
  await watch.lookAtJobs();
  return { ...snapshot, retries: watch.retries() };
}

async function listUris(store: ObjectStore, folder: S3Uri): Promise<S3Uri[]> {
  return Array.fromAsync(store.list(folder), ({ uri }) => uri);
}

/** The folder of an object, with its `/`. */
function folderOf(uri: S3Uri): S3Uri {
  return uri.slice(0, uri.lastIndexOf('/') + 1) as S3Uri;
}
