import { copyFile, link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { joinS3Uri, type S3Uri } from '../../core/s3-uri.ts';
import { syncFile } from '../../store/durable-file.ts';
import { renderJson } from '../../store/json-document.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { FaultInjector, RecordFaults } from '../faults/fault-injector.ts';
import { alphanumericId, createRandom, hash32, shuffle } from '../faults/seeded-random.ts';
import type { Answerer } from '../models/answerer.ts';
import type { EmulatedModel } from '../models/model-catalog.ts';
import { addResult, type Chunk, fillChunk, toAnswerLine } from './answer-chunk.ts';
import { createFileAppender, type FileAppender } from './file-appender.ts';
import type { InputWindow, ScannedFile } from './input-scan.ts';
import { createWindowReader, openQuestions, type WindowReader } from './input-window.ts';
import { toOutputLines } from './output-line.ts';
import { replaceFile, replaceFileForGood } from './state-file.ts';
import type { RecordCounts, StoredJob } from './stored-job.ts';
import { type Checkpoint, cutTo, emptyCheckpoint, readCheckpoint } from './work-checkpoint.ts';

/** The answering of one job's records: in shuffled order, up to any number of them, and on from there after a crash. */
export interface JobWork {
  /** Records that were gone through, answered or not, and are kept. */
  position(): number;
  counts(): RecordCounts;
  /**
   * Answers until `records` of them are through; or returns the milliseconds after which to call again, as a model server asks
   * to be left alone. After an error it can be called again too: answers that could not be written are still there.
   */
  advanceTo(records: number, signal: AbortSignal): Promise<number | undefined>;
  /** Keeps what a call that was broken off has answered, as far as it goes without a gap. */
  keepAnswered(): Promise<void>;
  /** Forgets everything, so that less can be answered than was. */
  restart(): Promise<void>;
  /** Puts output files and manifest into the store as they are now. */
  publish(isFinal: boolean): Promise<void>;
}

/** What the work of a job needs. */
export interface JobWorkDeps {
  store: ObjectStore;
  directory: string;
  /** Gets a line `recordId TAB digest of the model input` for each answer, where given. */
  answersPath: string | undefined;
  answerer: Answerer;
  faults: FaultInjector;
  model: EmulatedModel;
  seed: number;
}

/** Simulated answers cost nothing to give again; a model server's are kept as soon as they are there. */
const SIMULATED_PER_CHECKPOINT = 4096;
/** Answers of a model server that are asked for before they are kept, for each request in flight. */
const ROUNDS_PER_CHUNK = 4;

/** A window of an input file, and where it is in the job's order. */
export interface PlacedWindow extends InputWindow {
  fileIndex: number;
  /** Position in the job's shuffled order of its first record. */
  firstPosition: number;
}

/** A job's work as it stands. */
export interface WorkState {
  job: StoredJob;
  files: readonly ScannedFile[];
  windows: readonly PlacedWindow[];
  total: number;
  deps: JobWorkDeps;
  recordFaultsOf: ((recordId: string) => RecordFaults) | undefined;
  /** What is written, and what will be found after a crash once it is checkpointed. */
  written: Checkpoint;
  /** Position of the last checkpoint. */
  checkpointed: number;
  /** Records that are being answered, or whose answers could not be written yet. */
  chunk: Chunk | undefined;
}

/** Takes up a job's work where its local files say it was. */
export async function openJobWork(
  job: StoredJob,
  files: readonly ScannedFile[],
  deps: JobWorkDeps,
): Promise<JobWork> {
  await mkdir(deps.directory, { recursive: true });
  const state: WorkState = {
    job,
    files,
    windows: placeWindows(files, `${deps.seed}/${job.jobId}`),
    total: files.reduce((sum, file) => sum + file.records, 0),
    deps,
    recordFaultsOf: deps.faults.recordFaults(job),
    written: emptyCheckpoint(files.length),
    checkpointed: 0,
    chunk: undefined,
  };
  const found = await readCheckpoint(checkpointPathOf(state), filesOf(state, files.length), deps.answersPath);
  if (found === undefined) await begin(state);
  else Object.assign(state, { written: found, checkpointed: found.position });
  return {
    position: () => state.written.position,
    counts: () => ({ ...state.written.counts }),
    advanceTo: (records, signal) => advance(state, records, signal),
    keepAnswered: () => keepAnswered(state),
    restart: () => begin(state),
    publish: (isFinal) => publish(state, isFinal),
  };
}

async function begin(state: WorkState): Promise<void> {
  const { files, deps } = state;
  await rm(checkpointPathOf(state), { force: true });
  await rm(`${checkpointPathOf(state)}.before`, { force: true });
  for (const path of filesOf(state, files.length)) await rm(path, { force: true });
  if (deps.answersPath !== undefined) await rm(deps.answersPath, { force: true });
  Object.assign(state, { written: emptyCheckpoint(files.length), checkpointed: 0, chunk: undefined });
}

async function advance(state: WorkState, records: number, signal: AbortSignal): Promise<number | undefined> {
  await using appender = createFileAppender();
  await using reader = createWindowReader(state.deps.store);
  await cutTo(state.written, filesOf(state, state.files.length), state.deps.answersPath);
  try {
    while (state.written.position < records) {
      signal.throwIfAborted();
      state.chunk ??= await openChunk(state, records, reader);
      const waitMs = await fillChunk(state.chunk, state);
      if (waitMs !== undefined) return waitMs;
      await keepChunk(state, state.chunk, appender);
    }
    return undefined;
  } finally {
    if (state.written.position !== state.checkpointed) await checkpoint(state);
  }
}

/** The next records to be answered: to the end of their window, or as many as a model server gets at a time. */
async function openChunk(state: WorkState, records: number, reader: WindowReader): Promise<Chunk> {
  const { job, files, windows, written, deps } = state;
  const window = windows.findLast(({ firstPosition }) => firstPosition <= written.position) as PlacedWindow;
  const file = files[window.fileIndex] as ScannedFile;
  const size =
    job.modelServer === undefined ? window.records : ROUNDS_PER_CHUNK * job.modelServer.concurrency;
  const end = Math.min(window.firstPosition + window.records, written.position + size, records);
  const lineCount = await reader.read(file.uri, window);
  if (lineCount !== window.records) throw new Error(`${file.uri} was changed while its job was running.`);
  const order = shuffle(
    Array.from({ length: lineCount }, (_, index) => index),
    createRandom(hash32(`${deps.seed}/${job.jobId}/${file.name}/${window.start}`)),
  );
  const chosen = order.slice(written.position - window.firstPosition, end - window.firstPosition);
  return {
    window,
    isLast: end === state.total,
    questions: openQuestions(chosen, reader, {
      file,
      firstRecord: window.firstRecord,
      idSeed: `${deps.seed}/${job.jobId}`,
    }),
    results: [],
    refusals: [],
    round: 0,
  };
}

/** Writes a chunk's answers, whose records are all answered; nothing is half kept. */
async function keepChunk(state: WorkState, chunk: Chunk, appender: FileAppender): Promise<void> {
  const { job, deps, written } = state;
  const { window, questions, results } = chunk;
  const counts = { ...written.counts };
  for (const { result } of results) if (result !== undefined) addResult(counts, result);
  const outputPath = filesOf(state, state.files.length)[window.fileIndex] as string;
  await appender.append(
    outputPath,
    results.map(({ question: { record, recordId }, result, faults }) =>
      result === undefined
        ? ''
        : toOutputLines({ recordId, modelInputText: record.modelInputText, result, faults }),
    ),
  );
  if (chunk.isLast && results.length === questions.length) {
    await appender.append(outputPath, unknownLines(job, deps.faults));
  }
  const outputBytes = [...written.outputBytes];
  outputBytes[window.fileIndex] = await appender.flush(outputPath);
  let { answersBytes } = written;
  if (deps.answersPath !== undefined) {
    const answered = results.filter(({ result }) => result?.kind === 'answer');
    await appender.append(
      deps.answersPath,
      answered.map(({ question }) => toAnswerLine(question)),
    );
    answersBytes = await appender.flush(deps.answersPath);
  }
  state.written = { position: written.position + results.length, outputBytes, answersBytes, counts };
  state.chunk = undefined;
  const due = job.modelServer === undefined ? SIMULATED_PER_CHECKPOINT : 1;
  if (state.written.position - state.checkpointed >= due) await checkpoint(state);
}

async function keepAnswered(state: WorkState): Promise<void> {
  const { chunk } = state;
  if (chunk === undefined) return;
  const gap = chunk.questions.findIndex((_, index) => chunk.results[index] === undefined);
  const results = gap === -1 ? chunk.results : chunk.results.slice(0, gap);
  if (results.length === 0) return;
  await using appender = createFileAppender();
  await cutTo(state.written, filesOf(state, state.files.length), state.deps.answersPath);
  await keepChunk(state, { ...chunk, results }, appender);
}

async function checkpoint(state: WorkState): Promise<void> {
  const { job, files, written, deps } = state;
  await deps.faults.save();
  // A simulated model gives the same answers again; a model server's took time, and perhaps money.
  const isDear = job.modelServer !== undefined;
  if (isDear) {
    const outputs = filesOf(state, files.length).filter((_, index) => (written.outputBytes[index] ?? 0) > 0);
    for (const path of outputs) await syncFile(path);
  }
  await (isDear ? replaceFileForGood : replaceFile)(checkpointPathOf(state), renderJson(written));
  state.checkpointed = state.written.position;
}

async function publish(state: WorkState, isFinal: boolean): Promise<void> {
  const { job, files, written, deps } = state;
  const folder = joinS3Uri(job.outputDataConfig.s3OutputDataConfig.s3Uri, job.jobId);
  for (const [index, path] of filesOf(state, files.length).entries()) {
    if ((written.outputBytes[index] ?? 0) === 0) continue;
    const staged = join(deps.directory, 'staged');
    await rm(staged, { force: true });
    // A partial version is a copy, because the file grows on; the final one is the file itself under a second name.
    await (isFinal ? link : copyFile)(path, staged);
    await deps.store.putFile(staged, joinS3Uri(folder, `${files[index]?.name}.out`));
  }
  await publishManifest(state, joinS3Uri(folder, 'manifest.json.out'), isFinal);
}

async function publishManifest(
  { job, total, written, deps: { faults, store } }: WorkState,
  uri: S3Uri,
  isFinal: boolean,
): Promise<void> {
  if (isFinal && faults.jobFaults(job, 'manifest-missing').length > 0) return store.delete(uri);
  const offBy = faults.jobFaults(job, 'manifest-wrong')[0]?.offBy ?? 0;
  await store.write(uri, toManifest(total + offBy, written.counts, job));
}

function checkpointPathOf({ deps }: WorkState): string {
  return join(deps.directory, 'checkpoint.json');
}

/** The output files that grow here, one for each input file. */
function filesOf({ deps }: WorkState, count: number): string[] {
  return Array.from({ length: count }, (_, index) => join(deps.directory, `${index}.out`));
}

/** Input files in their order, and each file's windows shuffled. */
function placeWindows(files: readonly ScannedFile[], seedText: string): PlacedWindow[] {
  let firstPosition = 0;
  return files.flatMap((file, fileIndex) =>
    shuffle([...file.windows], createRandom(hash32(`${seedText}/${file.name}`))).map((window) => {
      const placed = { ...window, fileIndex, firstPosition };
      firstPosition += window.records;
      return placed;
    }),
  );
}

function unknownLines(job: StoredJob, faults: FaultInjector): string[] {
  const count = faults.jobFaults(job, 'unknown-records').reduce((sum, fault) => sum + fault.count, 0);
  return Array.from({ length: count }, (_, index) => {
    const recordId = alphanumericId(`${job.jobId}/unknown/${index}`, 11).toUpperCase();
    return `${JSON.stringify({ modelInput: {}, modelOutput: {}, recordId })}\n`;
  });
}

function toManifest(totalRecordCount: number, counts: RecordCounts, job: StoredJob): string {
  return JSON.stringify({
    totalRecordCount,
    processedRecordCount: counts.processed,
    successRecordCount: counts.success,
    errorRecordCount: counts.error,
    inputTokenCount: counts.inputTokens,
    outputTokenCount: counts.outputTokens,
    ...(job.modelInvocationType === 'Converse'
      ? { cacheReadInputTokenCount: 0, cacheWriteInputTokenCount: 0 }
      : {}),
  });
}
