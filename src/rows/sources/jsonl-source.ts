import { InvalidDatasetError } from '../../core/errors.ts';
import { openLineWriter } from './line-writer.ts';
import { readSourceBytes, type SourceFile } from './source-bytes.ts';
import { parseSourceName } from './source-name.ts';
import { cutRecords, type RecordScanner, type TextRecords } from './text-records.ts';

/** Longest line of a JSONL file, in bytes. */
export const MAX_JSONL_LINE_BYTES = 16_000_000;

const NEWLINE = 10;
const BRACE = 123;

/** Longest line of a file that DuckDB is to read itself: its buffers have twice the bytes. */
const MAX_PLAIN_LINE_CHARACTERS = 1_000_000;

/** What a JSONL file is made of. */
export interface JsonlStructure {
  /** In the order of their first use. */
  keys: string[];
  /** Objects. */
  rows: number;
  /** True where DuckDB would give every value as the file spells it, or refuse the file. */
  isPlain: boolean;
}

/** Reads a whole JSONL file and refuses, with the line, what is not one object per line. */
export async function readJsonlStructure(file: SourceFile): Promise<JsonlStructure> {
  const keys = new Set<string>();
  let rows = 0;
  let isPlain = parseSourceName(file.uri)?.compression === 'none';
  for await (const { text, line } of readLines(file)) {
    const object = parseObject(text, file, line);
    for (const key in object) keys.add(key);
    isPlain &&= isPlainLine(text, object);
    rows += 1;
  }
  return { keys: [...keys], rows, isPlain };
}

function isPlainLine(text: string, object: Record<string, unknown>): boolean {
  if (text.length > MAX_PLAIN_LINE_CHARACTERS) return false;
  for (const key in object) {
    const value = object[key];
    if (typeof value === 'number') {
      if (!isSpelledPlainly(text, key, value)) return false;
    } else if (typeof value === 'object' && value !== null) {
      return false;
    }
  }
  return true;
}

const PLAIN_KEY = /^\w+$/;
const PLAIN_NUMBER = /^\s*:\s*(\d+)\s*[,}]/;

/** Whether the first place where a key may stand has the number's usual digits: not 1.0, 1e2, -0. */
function isSpelledPlainly(text: string, key: string, value: number): boolean {
  if (!Number.isSafeInteger(value) || !PLAIN_KEY.test(key)) return false;
  const at = text.indexOf(`"${key}"`);
  if (at === -1) return false;
  const after = at + key.length + 2;
  return PLAIN_NUMBER.exec(text.slice(after, after + MAX_NUMBER_CHARACTERS))?.[1] === String(value);
}

/** Sixteen digits, and some spaces. */
const MAX_NUMBER_CHARACTERS = 32;

/** The lines of a JSONL file that was read before, cut at bounds between its rows. */
export function readJsonlRecords(file: SourceFile, bounds: readonly number[]): AsyncGenerator<TextRecords> {
  return cutRecords(readSourceBytes(file), createLineScanner(), bounds);
}

function createLineScanner(): RecordScanner {
  let rows = 0;
  /** Of the line that has not ended yet: true where something was seen of it. */
  let isStarted = false;
  return {
    rows: () => rows,
    scan: (chunk, from, untilRow) => {
      let start = from;
      for (let end = chunk.indexOf(NEWLINE, start); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        if (isStarted || hasObject(chunk, start, end)) rows += 1;
        isStarted = false;
        start = end + 1;
        if (rows === untilRow) return { to: start, wholeTo: start };
      }
      isStarted ||= hasObject(chunk, start, chunk.length);
      return { to: chunk.length, wholeTo: start };
    },
    end: () => {
      if (isStarted) rows += 1;
    },
  };
}

/** Each row is an object, and what is no row is blank. */
function hasObject(bytes: Buffer, start: number, end: number): boolean {
  const brace = bytes.indexOf(BRACE, start);
  return brace !== -1 && brace < end;
}

/**
 * Copies a JSONL file into JSONL with the columns as keys `c0`, `c1`, … and every value as text: strings
 * as they are, anything else as it is spelled (DuckDB would make 1.5 of 1.50), null and missing keys left out. Gives the
 * bytes of the longest line.
 */
export async function copyJsonlAsText(
  file: SourceFile,
  { columns, to }: { columns: readonly string[]; to: string },
): Promise<{ longestBytes: number }> {
  const keyOf = new Map(columns.map((column, index) => [column, `c${index}`]));
  await using writer = openLineWriter(to);
  for await (const { text, line } of readLines(file)) {
    const copied: Record<string, string> = {};
    for (const [key, value] of textFields(text, file, line)) {
      const short = keyOf.get(key);
      if (short !== undefined && value !== null) copied[short] = value;
    }
    await writer.write(copied);
  }
  return await writer.end();
}

async function* readLines(file: SourceFile): AsyncGenerator<{ text: string; line: number }> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let line = 0;
  const refuseLong = (): never => {
    throw new InvalidDatasetError(
      `Line ${line + 1} of ${file.uri} has more than ${MAX_JSONL_LINE_BYTES} bytes. Convert the file to Parquet, or shorten the line.`,
    );
  };
  for await (const bytes of readSourceBytes(file)) {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const piece = bytes.subarray(start, end);
      if (restBytes + piece.length > MAX_JSONL_LINE_BYTES) refuseLong();
      const text = (rest.length === 0 ? piece : Buffer.concat([...rest, piece])).toString();
      rest = [];
      restBytes = 0;
      line += 1;
      start = end + 1;
      if (text.trim() !== '') yield { text, line };
    }
    if (start < bytes.length) {
      rest.push(bytes.subarray(start));
      restBytes += bytes.length - start;
      if (restBytes > MAX_JSONL_LINE_BYTES) refuseLong();
    }
  }
  const text = Buffer.concat(rest).toString();
  if (text.trim() !== '') yield { text, line: line + 1 };
}

function parseObject(text: string, file: SourceFile, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidDatasetError(
      `Line ${line} of ${file.uri} is not JSON (${(error as Error).message}). A JSONL file has one JSON object per line.`,
      { cause: error },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidDatasetError(
      `Line ${line} of ${file.uri} is not a JSON object. A JSONL file has one object per line, whose keys are the columns.`,
    );
  }
  return value as Record<string, unknown>;
}

/** Every key of an object and its value as text. */
function textFields(text: string, file: SourceFile, line: number): Iterable<[string, string | null]> {
  const entries = Object.entries(parseObject(text, file, line));
  const spelled = entries.some(([, value]) => typeof value === 'number' || typeof value === 'object')
    ? spellingsOf(text)
    : undefined;
  return entries.map(([key, value]) => {
    if (typeof value === 'string') return [key, value.toWellFormed()];
    if (value === null) return [key, null];
    return [key, spelled?.get(key) ?? String(value)];
  });
}

/** The JSON text of every value of an object's own keys. `text` is known to be sound JSON. */
function spellingsOf(text: string): Map<string, string> {
  const spellings = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (;;) {
    const keyStart = text.indexOf('"', at);
    if (keyStart === -1) return spellings;
    const keyEnd = endOfString(text, keyStart);
    const valueStart = text.indexOf(':', keyEnd) + 1;
    const valueEnd = endOfValue(text, valueStart);
    const quoted = text.slice(keyStart, keyEnd);
    const key: string = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
    spellings.set(key, text.slice(valueStart, valueEnd).trim());
    at = valueEnd + 1;
  }
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
}

/** Index of the comma or brace that ends the value at `start`. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; ) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        continue;
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
        if (depth === 0) return at;
        depth -= 1;
        break;
      case ',':
        if (depth === 0) return at;
        break;
    }
    at += 1;
  }
}
