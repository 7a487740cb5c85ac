import { InvalidDatasetError } from '../../core/errors.ts';
import { privately } from '../../core/text/private-text.ts';
import { openLineWriter } from '../bytes/line-writer.ts';
import { readSourceBytes, type SourceFile } from '../bytes/source-bytes.ts';
import { compressionOf } from '../sources/source-name.ts';
import { cutRecords, type RecordScanner, type TextRecords } from '../sources/text-records.ts';
import { isJsonList, readJsonList } from './json-list.ts';
import { keysOf, spelledFields } from './json-spelling.ts';
import { type JsonText, MAX_JSON_RECORD_BYTES, readJsonLines } from './json-texts.ts';

const NEWLINE = 10;
const BRACE = 123;

/** Longest line of a file that DuckDB is to read itself: its buffers have twice the bytes. */
const MAX_PLAIN_LINE_CHARACTERS = 1_000_000;

/** What a file of JSON is made of. */
export interface JsonStructure {
  /** In the order of their first use. */
  keys: string[];
  /** Objects. */
  rows: number;
  /** True where DuckDB would give every value as the file spells it, or refuse the file. */
  isPlain: boolean;
  /** True where the file is one list of objects, not lines of them. */
  isList: boolean;
  encoding: string;
}

/** Reads a whole file of JSON and refuses, with the line, what is not one object per line or, where it may be, one list of objects. */
export async function readJsonStructure(
  file: SourceFile,
  { mayBeList = false }: { mayBeList?: boolean | undefined } = {},
): Promise<JsonStructure> {
  const keys = new Set<string>();
  const isList = mayBeList && (await isJsonList(file));
  let encoding = 'utf-8';
  const bytes = readSourceBytes(file, {
    onEncoding: (found) => {
      encoding = found;
    },
  });
  let [rows, isPlain] = [0, !isList && compressionOf(file.uri) === 'none'];
  for await (const { text, line } of isList ? readJsonList(file, bytes) : readJsonLines(file, bytes)) {
    const object = parseObject(text, { file, line, mayBeList });
    for (const key of keysOf(object, text)) keys.add(key);
    isPlain &&= isPlainLine(text, object);
    rows += 1;
  }
  return { keys: [...keys], rows, isPlain: isPlain && encoding === 'utf-8', isList, encoding };
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

/** The lines of a JSONL file that was read before, as they are, cut at bounds between its rows. */
export function readJsonlRecords(file: SourceFile, bounds: readonly number[]): AsyncGenerator<TextRecords> {
  return cutRecords(readSourceBytes(file), createLineScanner(file), bounds);
}

function createLineScanner({ uri }: SourceFile): RecordScanner {
  let [rows, unendedBytes] = [0, 0];
  /** Of the line that has not ended yet: true where something was seen of it. */
  let isStarted = false;
  return {
    rows: () => rows,
    scan: (chunk, from, untilRow) => {
      let start = from;
      for (let end = chunk.indexOf(NEWLINE, start); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        if (isStarted || hasObject(chunk, start, end)) rows += 1;
        isStarted = false;
        unendedBytes = 0;
        start = end + 1;
        if (rows === untilRow) return { to: start, wholeTo: start };
      }
      isStarted ||= hasObject(chunk, start, chunk.length);
      unendedBytes += chunk.length - start;
      if (unendedBytes > MAX_JSON_RECORD_BYTES) {
        throw new InvalidDatasetError(
          `${uri} has longer lines than when the run was planned. Start a new run.`,
        );
      }
      return { to: chunk.length, wholeTo: start };
    },
    end: () => {
      if (isStarted) rows += 1;
      return Buffer.from('\n');
    },
  };
}

/** Each row is an object, and what is no row is blank. */
function hasObject(bytes: Buffer, start: number, end: number): boolean {
  const brace = bytes.indexOf(BRACE, start);
  return brace !== -1 && brace < end;
}

/** Rows of JSON with the columns as keys `c0`, `c1`, … and every value as text; null and missing keys are left out. */
export async function* readSpelledJson(
  file: SourceFile,
  columns: readonly string[],
): AsyncGenerator<Record<string, string>> {
  const keyOf = new Map(columns.map((column, index) => [column, `c${index}`]));
  for await (const { text, line } of textsOf(file)) {
    const spelled: Record<string, string> = {};
    for (const [key, value] of spelledFields(parseObject(text, { file, line }), text)) {
      const short = keyOf.get(key);
      if (short !== undefined && value !== null) spelled[short] = value;
    }
    yield spelled;
  }
}

/** Bytes of lines that go together. */
const RUN_BYTES = 1 << 20;

/** What `readSpelledJson` gives as lines of JSON, cut at bounds between the file's rows. */
export async function* readSpelledRecords(
  file: SourceFile,
  {
    columns,
    bounds,
    onLine,
  }: { columns: readonly string[]; bounds: readonly number[]; onLine: (bytes: number) => void },
): AsyncGenerator<TextRecords> {
  const ends = new Set(bounds);
  let lines: Buffer[] = [];
  let [firstRow, rows, bytes] = [0, 0, 0];
  for await (const row of readSpelledJson(file, columns)) {
    const line = Buffer.from(`${JSON.stringify(row)}\n`);
    onLine(line.length);
    lines.push(line);
    rows += 1;
    bytes += line.length;
    if (bytes < RUN_BYTES && !ends.has(firstRow + rows)) continue;
    yield { chunks: lines, firstRow, rows };
    firstRow += rows;
    [lines, rows, bytes] = [[], 0, 0];
  }
  if (rows > 0) yield { chunks: lines, firstRow, rows };
}

/** Writes what `readSpelledJson` gives as lines of JSON; gives the bytes of the longest line, at most. */
export async function copyJsonAsText(
  file: SourceFile,
  { columns, to }: { columns: readonly string[]; to: string },
): Promise<{ longestBytes: number }> {
  await using writer = openLineWriter(to);
  for await (const row of readSpelledJson(file, columns)) await writer.write(row);
  return await writer.end();
}

/** The records of a file of a plan. */
function textsOf(file: SourceFile): AsyncGenerator<JsonText> {
  const bytes = readSourceBytes(file);
  return file.layout?.json_list === true && file.isUnpacked !== true
    ? readJsonList(file, bytes)
    : readJsonLines(file, bytes);
}

function parseObject(
  text: string,
  { file, line, mayBeList = false }: { file: SourceFile; line: number; mayBeList?: boolean },
): Record<string, unknown> {
  const rule = mayBeList
    ? 'A .json file has one object a line, or is one list of objects.'
    : 'A JSONL file has one JSON object per line.';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidDatasetError(
      `Line ${line} of ${file.uri} is not JSON (${privately((error as Error).message)}). ${rule}`,
      { cause: error },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidDatasetError(
      `Line ${line} of ${file.uri} is not a JSON object, whose keys would be the columns. ${rule}`,
    );
  }
  return value as Record<string, unknown>;
}
