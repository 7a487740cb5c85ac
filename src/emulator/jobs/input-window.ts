import { type FileHandle, open } from 'node:fs/promises';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { alphanumericId } from '../faults/seeded-random.ts';
import type { InputWindow, ScannedFile } from './input-scan.ts';
import { createLineBuffer } from './line-reader.ts';
import { parseRecordLine, type RecordLine } from './record-line.ts';

/** A record to be answered. */
export interface RecordQuestion {
  record: RecordLine;
  /** The record's own, or one that was made for it. */
  recordId: string;
}

/** Reads windows of input files, which it keeps at hand. */
export interface WindowReader extends AsyncDisposable {
  /** Reads a window of a file, and returns how many lines it holds. */
  read(uri: S3Uri, window: InputWindow): Promise<number>;
  line(index: number): string;
}

/** A reader of the store's objects. */
export function createWindowReader(store: ObjectStore): WindowReader {
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

/** Which file the lines are of, and what record ids are made from. */
export interface QuestionPlace {
  file: ScannedFile;
  /** Index within the file of the window's first record. */
  firstRecord: number;
  idSeed: string;
}

/** The records of those lines of the window that was read last. */
export function openQuestions(
  lineIndices: readonly number[],
  reader: WindowReader,
  { file, firstRecord, idSeed }: QuestionPlace,
): RecordQuestion[] {
  return lineIndices.map((lineIndex) => {
    const record = parseRecordLine(reader.line(lineIndex));
    if (typeof record === 'string') {
      throw new Error(`${file.uri} was changed while its job was running: ${record}.`);
    }
    const recordId =
      record.recordId ??
      alphanumericId(`${idSeed}/${file.name}/${firstRecord + lineIndex}`, 11).toUpperCase();
    return { record, recordId };
  });
}
