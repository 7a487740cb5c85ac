import { InvalidDatasetError } from '../core/errors.ts';
import { openLineWriter } from './line-writer.ts';
import { readSourceBytes, type SourceFile } from './source-bytes.ts';

/** Longest line of a JSONL file, in bytes. */
export const MAX_JSONL_LINE_BYTES = 16_000_000;

const NEWLINE = 10;

/** The keys of a JSONL file's objects, in the order of their first use, and how many objects there are. */
export async function readJsonlStructure(file: SourceFile): Promise<{ keys: string[]; rows: number }> {
  const keys = new Set<string>();
  let rows = 0;
  for await (const { text, line } of readLines(file)) {
    for (const key of Object.keys(parseObject(text, file, line))) keys.add(key);
    rows += 1;
  }
  return { keys: [...keys], rows };
}

/** Which rows and columns of a JSONL file to copy. */
export interface JsonlRange {
  columns: readonly string[];
  firstRow: number;
  rows: number;
  /** The file to write. */
  to: string;
}

/**
 * Copies rows of a JSONL file into JSONL with the columns as keys `c0`, `c1`, … and every value as text: strings
 * as they are, anything else as it is spelled (DuckDB would make 1.5 of 1.50), null and missing keys left out. Gives the
 * bytes of the longest line.
 */
export async function copyJsonlAsText(
  file: SourceFile,
  { columns, firstRow, rows, to }: JsonlRange,
): Promise<{ longestBytes: number }> {
  const keyOf = new Map(columns.map((column, index) => [column, `c${index}`]));
  await using writer = openLineWriter(to);
  let row = 0;
  for await (const { text, line } of readLines(file)) {
    if (row >= firstRow + rows) break;
    row += 1;
    if (row <= firstRow) continue;
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
