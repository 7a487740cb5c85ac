import { text } from 'node:stream/consumers';
import type { S3Uri } from '../../core/s3-uri.ts';
import { isJsonObject } from '../../core/text/json-value.ts';
import { readOutputLine } from '../../rows/collect/output-line.ts';
import type { ResultColumns } from '../../rows/results/result-columns.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import type { ObjectInfo, ObjectStore } from '../../store/object-store.ts';

/** An answer, or an error in its place, as a job's output has it before anybody has collected it. */
export interface ShownAnswer {
  partId: string;
  recordId: string;
  /** What the record asks: its prompt, as far as it can be told from its model input. */
  asked: string;
  /** The answer, or what its error says. */
  text: string;
  /** Null where it is an answer. */
  errorCode: string | null;
}

/** A part whose answers are read, and the place of its variant in the plan. */
export interface ReadPart {
  part_id: string;
  variant: number;
}

/** Reads what the output of jobs has got since the last look. */
export interface AnswerReader {
  /** The newest answers of these parts, the newest first. */
  read(parts: readonly ReadPart[]): Promise<ShownAnswer[]>;
}

/** Bytes of an output file's end that are read. */
const TAIL_BYTES = 128 * 1024;
/** Answers that are taken of it. */
const ANSWERS_OF_FILE = 3;
/** Files that are read at one look. */
const FILES_OF_LOOK = 4;
/** Characters of a prompt or an answer. */
const MAX_CHARACTERS = 4_000;

/** A reader of a run's answers; it remembers how far each file had come. */
export function createAnswerReader(
  { layout, columns }: { layout: RunLayout; columns: readonly ResultColumns[] },
  store: ObjectStore,
): AnswerReader {
  const seen = new Map<S3Uri, string>();
  return {
    read: async (parts) => {
      const grown: { partId: string; variant: number; file: ObjectInfo }[] = [];
      for (const { part_id: partId, variant } of parts) {
        if (grown.length >= FILES_OF_LOOK) break;
        for await (const file of store.list(`${layout.modelOutput(partId)}/`)) {
          if (!file.uri.endsWith('.jsonl.out') || file.size === 0) continue;
          if (seen.get(file.uri) === file.etag) continue;
          grown.push({ partId, variant, file });
        }
      }
      const answers: ShownAnswer[] = [];
      for (const { partId, variant, file } of grown.slice(-FILES_OF_LOOK)) {
        const ofVariant = columns[variant];
        if (ofVariant === undefined) continue;
        seen.set(file.uri, file.etag);
        const lines = await tailOf(file, store);
        answers.unshift(...lines.flatMap((line) => answerIn(line, partId, ofVariant) ?? []));
      }
      return answers;
    },
  };
}

/** The last whole lines of a file, the last first; none where it is gone by now. */
async function tailOf({ uri, size }: ObjectInfo, store: ObjectStore): Promise<string[]> {
  const start = Math.max(0, size - TAIL_BYTES);
  try {
    const tail = await text(await store.readStream(uri, { start, end: size - 1 }));
    const lines = tail.split('\n').slice(start === 0 ? 0 : 1);
    return lines
      .filter((line) => line.trim() !== '')
      .slice(-ANSWERS_OF_FILE)
      .reverse();
  } catch {
    // It is only shown: whoever collects it says what is wrong with it.
    return [];
  }
}

function answerIn(line: string, partId: string, columns: ResultColumns): ShownAnswer | undefined {
  const read = readOutputLine(line, columns);
  if (read === undefined) return undefined;
  const { record_id: recordId, error_code: errorCode, error_message } = read;
  const value = read[columns.answer.key] ?? null;
  return {
    partId,
    recordId,
    asked: shortened(askedIn(JSON.parse(line))),
    text: shortened(errorCode === null ? valueText(value) : (error_message ?? '')),
    errorCode,
  };
}

function valueText(value: string | number | readonly number[] | null): string {
  if (!Array.isArray(value)) return String(value ?? '');
  return `${value.length} numbers: ${value.slice(0, 8).join(', ')}${value.length > 8 ? ', …' : ''}`;
}

function shortened(value: string): string {
  return value.length <= MAX_CHARACTERS ? value : `${value.slice(0, MAX_CHARACTERS).toWellFormed()}…`;
}

/** The prompt of a model input, whatever its family: the longest of its messages' texts, or of all where it has none. */
function askedIn({ modelInput }: { modelInput?: unknown }): string {
  return longestText(isJsonObject(modelInput) ? (modelInput.messages ?? modelInput) : modelInput);
}

/** Members that say what a text is. */
const LABELS = ['role', 'type'];

function longestText(value: unknown): string {
  if (typeof value === 'string') return value;
  return membersOf(value)
    .map(longestText)
    .reduce((longest, next) => (next.length > longest.length ? next : longest), '');
}

function membersOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => (LABELS.includes(key) ? [] : [member]));
}
