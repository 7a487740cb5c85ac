import { copyFile, type FileHandle, link, mkdir, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { joinS3Uri, type S3Uri } from '../../core/s3-uri.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { FaultInjector } from '../faults/fault-injector.ts';
import { alphanumericId, createRandom, digestOf, hash32, shuffle } from '../faults/seeded-random.ts';
import type { Answerer, WrittenAnswer } from '../models/answerer.ts';
import type { EmulatedModel } from '../models/model-catalog.ts';
import { type Refusal, refuse } from '../models/model-family.ts';
import { createFileAppender, type FileAppender } from './file-appender.ts';
import type { InputWindow, ScannedFile } from './input-scan.ts';
import { replaceFile } from './job-book.ts';
import { createLineBuffer } from './line-reader.ts';
import { toOutputLines } from './output-line.ts';
import { parseRecordLine, type RecordLine } from './record-line.ts';
import { NO_RECORDS, RecordCounts, type StoredJob } from './stored-job.ts';

/** The answering of one job's records: in shuffled order, up to any number of them, and on from there after a crash. */
export interface JobWork {
  /** Records that were gone through, answered or not. */
  position(): number;
  counts(): RecordCounts;
  /** Answers until `records` of them are through. */
  advanceTo(records: number, signal: AbortSignal): Promise<void>;
  /** Forgets everything, so that less can be answered than was. */
  restart(): Promise<void>;
  /** Puts output files and manifest into the store as they are now. */
  publish(isFinal: boolean): Promise<void>;
  /** Removes the local files. */
  discard(): Promise<void>;
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

const Checkpoint = z.object({
  position: z.int(),
  outputBytes: z.array(z.int()),
  answersBytes: z.int(),
  counts: RecordCounts,
});
type Checkpoint = z.infer<typeof Checkpoint>;

/** Records between two turns of the event loop. */
const RECORDS_PER_TURN = 64;
/** Simulated answers cost nothing to give again, a model server's do. */
const RECORDS_PER_CHECKPOINT = 4096;

interface PlacedWindow extends InputWindow {
  fileIndex: number;
  /** Position in the job's shuffled order of its first record. */
  firstPosition: number;
}

/** Takes up a job's work where its local files say it was. */
export async function openJobWork(job: StoredJob, files: ScannedFile[], deps: JobWorkDeps): Promise<JobWork> {
  const { store, directory, answersPath, answerer, faults, model, seed } = deps;
  await mkdir(directory, { recursive: true });
  const windows = placeWindows(files, `${seed}/${job.jobId}`);
  const total = files.reduce((sum, file) => sum + file.records, 0);
  const recordsPerCheckpoint = answerer.isSimulated ? RECORDS_PER_CHECKPOINT : 1;
  const recordFaultsOf = faults.recordFaults(job);
  const checkpointPath = join(directory, 'checkpoint.json');
  const workPath = (fileIndex: number) => join(directory, `${fileIndex}.out`);
  const outputFolder = joinS3Uri(job.outputDataConfig.s3OutputDataConfig.s3Uri, job.jobId);

  const begin = async (): Promise<Checkpoint> => {
    for (const index of files.keys()) await rm(workPath(index), { force: true });
    if (answersPath !== undefined) await rm(answersPath, { force: true });
    return { position: 0, outputBytes: files.map(() => 0), answersBytes: 0, counts: { ...NO_RECORDS } };
  };
  const resume = async (): Promise<Checkpoint | undefined> => {
    const text = await readFile(checkpointPath, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const checkpoint = Checkpoint.parse(JSON.parse(text));
    if (checkpoint.outputBytes.length !== files.length) return undefined;
    const kept: [string, number][] = checkpoint.outputBytes.map((bytes, index) => [workPath(index), bytes]);
    if (answersPath !== undefined) kept.push([answersPath, checkpoint.answersBytes]);
    for (const [path, bytes] of kept) {
      const size = await stat(path).then(
        (stats) => stats.size,
        () => 0,
      );
      if (size < bytes) return undefined;
      if (size > bytes) await truncate(path, bytes);
    }
    return checkpoint;
  };
  let state = (await resume()) ?? (await begin());
  let checkpointed = state.position;

  const answerLine = async (record: RecordLine, recordId: string): Promise<LineResult> => {
    const found = recordFaultsOf?.(recordId);
    if (found?.isMissing === true) return { text: '', result: undefined };
    const result =
      found?.error === undefined
        ? answerer.answer({
            model,
            invocationType: job.modelInvocationType,
            body: record.modelInput,
            bodyText: record.modelInputText,
            atMs: job.submitTimeMs,
            inBatch: true,
          })
        : refuse(found.error.errorMessage, found.error.errorCode);
    const settled = result instanceof Promise ? await result : result;
    return {
      text: toOutputLines({
        recordId,
        modelInputText: record.modelInputText,
        result: settled,
        faults: found,
      }),
      result: settled,
    };
  };

  const answerWindow = async (
    window: PlacedWindow,
    until: number,
    { signal, appender, reader }: { signal: AbortSignal; appender: FileAppender; reader: WindowReader },
  ) => {
    const file = files[window.fileIndex] as ScannedFile;
    const lineCount = await reader.read(file.uri, window);
    if (lineCount !== window.records) throw new Error(`${file.uri} was changed while its job was running.`);
    const order = shuffle(
      Array.from({ length: lineCount }, (_, index) => index),
      createRandom(hash32(`${seed}/${job.jobId}/${file.name}/${window.start}`)),
    );
    const chosen = order.slice(state.position - window.firstPosition, until - window.firstPosition);
    const questionAt = (lineIndex: number) => {
      const record = parseRecordLine(reader.line(lineIndex));
      if (typeof record === 'string')
        throw new Error(`${file.uri} was changed while its job was running: ${record}.`);
      const recordId =
        record.recordId ??
        alphanumericId(
          `${seed}/${job.jobId}/${file.name}/${window.firstRecord + lineIndex}`,
          11,
        ).toUpperCase();
      return { record, recordId };
    };

    const counts = { ...state.counts };
    const outputPath = workPath(window.fileIndex);
    for (let start = 0; start < chosen.length; start += RECORDS_PER_TURN) {
      const questions = chosen.slice(start, start + RECORDS_PER_TURN).map(questionAt);
      const results = await Promise.all(
        questions.map(({ record, recordId }) => answerLine(record, recordId)),
      );
      for (const { result } of results) addResult(counts, result);
      await appender.append(
        outputPath,
        results.map(({ text }) => text),
      );
      if (answersPath !== undefined) {
        const answered = questions.filter((_, index) => results[index]?.result?.kind === 'answer');
        await appender.append(answersPath, answered.map(toAnswerLine));
      }
      await nextTurn();
      signal.throwIfAborted();
    }

    const isLast = until === total && window === windows.at(-1);
    if (isLast) await appender.append(outputPath, unknownLines(job, faults));
    const outputBytes = [...state.outputBytes];
    outputBytes[window.fileIndex] = await appender.flush(outputPath);
    const answersBytes = answersPath === undefined ? 0 : await appender.flush(answersPath);
    state = { position: until, outputBytes, answersBytes, counts };
  };

  const checkpoint = async () => {
    await faults.save();
    await replaceFile(checkpointPath, JSON.stringify(state));
    checkpointed = state.position;
  };

  const publishFile = async (index: number, isFinal: boolean) => {
    const uri = joinS3Uri(outputFolder, `${files[index]?.name}.out`);
    const staged = join(directory, 'staged');
    await rm(staged, { force: true });
    // A partial version is a copy, because the file grows on; the final one is the file itself under a second name.
    await (isFinal ? link : copyFile)(workPath(index), staged);
    await store.putFile(staged, uri);
  };

  return {
    position: () => state.position,
    counts: () => ({ ...state.counts }),
    advanceTo: async (records, signal) => {
      await using appender = createFileAppender();
      await using reader = createWindowReader(store);
      try {
        for (const window of windows) {
          if (state.position >= records) break;
          const end = window.firstPosition + window.records;
          if (end <= state.position) continue;
          signal.throwIfAborted();
          await answerWindow(window, Math.min(end, records), { signal, appender, reader });
          if (state.position - checkpointed >= recordsPerCheckpoint) await checkpoint();
        }
      } finally {
        if (state.position !== checkpointed) await checkpoint();
      }
    },
    restart: async () => {
      await rm(checkpointPath, { force: true });
      state = await begin();
      checkpointed = 0;
    },
    publish: async (isFinal) => {
      for (const [index, bytes] of state.outputBytes.entries()) {
        if (bytes > 0) await publishFile(index, isFinal);
      }
      if (isFinal && faults.jobFaults(job, 'manifest-missing').length > 0) {
        await store.delete(joinS3Uri(outputFolder, 'manifest.json.out'));
        return;
      }
      const offBy = faults.jobFaults(job, 'manifest-wrong')[0]?.offBy ?? 0;
      await store.write(
        joinS3Uri(outputFolder, 'manifest.json.out'),
        toManifest(total + offBy, state.counts, job),
      );
    },
    discard: () => rm(directory, { recursive: true, force: true }),
  };
}

interface LineResult {
  text: string;
  /** Undefined for a record that the output lacks. */
  result: WrittenAnswer | Refusal | undefined;
}

/** Input files in their order, and each file's windows shuffled. */
function placeWindows(files: ScannedFile[], seedText: string): PlacedWindow[] {
  let firstPosition = 0;
  return files.flatMap((file, fileIndex) =>
    shuffle([...file.windows], createRandom(hash32(`${seedText}/${file.name}`))).map((window) => {
      const placed = { ...window, fileIndex, firstPosition };
      firstPosition += window.records;
      return placed;
    }),
  );
}

interface WindowReader extends AsyncDisposable {
  /** Reads a window of a file, and returns how many lines it holds. */
  read(uri: S3Uri, window: InputWindow): Promise<number>;
  line(index: number): string;
}

/** Keeps the input files that it reads at hand. */
function createWindowReader(store: ObjectStore): WindowReader {
  const stack = new AsyncDisposableStack();
  const files = new Map<S3Uri, FileHandle>();
  const lines = createLineBuffer();
  return {
    read: async (uri, window) => {
      let file = files.get(uri);
      if (file === undefined) {
        file = stack.use(await open(stack.use(await store.fetchFile(uri)).path));
        files.set(uri, file);
      }
      return lines.read(file, window);
    },
    line: lines.line,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function addResult(counts: RecordCounts, result: LineResult['result']): void {
  if (result === undefined) return;
  counts.processed += 1;
  if (result.kind === 'refusal') {
    counts.error += 1;
    return;
  }
  counts.success += 1;
  counts.inputTokens += result.inputTokens;
  counts.outputTokens += result.outputTokens;
}

function toAnswerLine({ record, recordId }: { record: RecordLine; recordId: string }): string {
  return `${recordId}\t${digestOf(record.modelInputText)}\n`;
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
