import { InvalidDatasetError } from '../../core/errors.ts';
import { countNewlines, readSourceBytes, type SourceFile } from './source-bytes.ts';
import { parseSourceName } from './source-name.ts';
import { cutRecords, type TextRecords } from './text-records.ts';

/** What a CSV file is made of. */
export interface CsvStructure {
  header: string[];
  /** Rows below the header. */
  rows: number;
}

/** Longest record of a CSV file, in bytes. DuckDB makes buffers of sixteen times its own `max_line_size`. */
export const MAX_CSV_RECORD_BYTES = 4_000_000;

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

/** Where in a field the scanner is. */
const AT_START = 0;
const IN_PLAIN = 1;
const IN_QUOTES = 2;
const AFTER_QUOTE = 3;
const AFTER_RETURN = 4;

/** How far the scanner is. */
interface Scan {
  state: number;
  /** Of the current record, so far. */
  fields: number;
  /** Bytes before the next chunk. */
  offset: number;
  recordStart: number;
  rows: number;
  /** 0 while the header is being read. */
  columns: number;
}

function newScan(): Scan {
  return { state: AT_START, fields: 1, offset: 0, recordStart: 0, rows: 0, columns: 0 };
}

/** A fault at a byte of the unpacked file, not counting a byte order mark. */
class CsvFault extends Error {
  readonly at: number;
  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

/**
 * Reads a whole CSV file's structure and refuses, with the line, what is not RFC 4180. DuckDB would silently drop
 * a last row whose quote is never closed and, in the mode that allows mixed newlines, cells beyond the header.
 */
export async function readCsvStructure(file: SourceFile): Promise<CsvStructure> {
  return scan(file, { headerOnly: false });
}

/** The header of a CSV file whose structure was read before. */
export async function readCsvHeader(file: SourceFile): Promise<string[]> {
  return (await scan(file, { headerOnly: true })).header;
}

/** All of a CSV file whose structure was read before, cut at bounds between its rows: first its header, then its records. */
export async function* readCsvRecords(
  file: SourceFile,
  bounds: readonly number[] = [],
): AsyncGenerator<TextRecords> {
  const delimiter = (parseSourceName(file.uri)?.delimiter ?? ',').charCodeAt(0);
  const scan = newScan();
  try {
    yield* cutRecords(
      readSourceBytes(file),
      {
        rows: () => scan.rows,
        scan: (chunk, from, untilRow) => {
          const to = from + scanChunk(chunk.subarray(from), scan, delimiter, untilRow);
          return { to, wholeTo: to - (scan.offset - scan.recordStart) };
        },
        end: () => (scan.columns === 0 ? expectEnd(scan) : endFile(scan)),
      },
      bounds,
    );
  } catch (error) {
    throw await explain(file, error);
  }
}

async function scan(file: SourceFile, options: { headerOnly: boolean }): Promise<CsvStructure> {
  try {
    return await scanBytes(file, options);
  } catch (error) {
    throw await explain(file, error);
  }
}

/** What to say of an error; of a fault of the file's, its line. These are counted only here: that would slow down sound files. */
async function explain(file: SourceFile, error: unknown): Promise<unknown> {
  if (!(error instanceof CsvFault)) return error;
  return new InvalidDatasetError(`Line ${await lineAt(file, error.at)} of ${file.uri} ${error.message}`, {
    cause: error,
  });
}

async function scanBytes(file: SourceFile, { headerOnly }: { headerOnly: boolean }): Promise<CsvStructure> {
  const delimiter = parseSourceName(file.uri)?.delimiter ?? ',';
  const scan = newScan();
  const headerBytes: Buffer[] = [];
  for await (const bytes of readSourceBytes(file)) {
    const inHeader = scan.columns === 0;
    scanChunk(bytes, scan, delimiter.charCodeAt(0));
    if (inHeader) headerBytes.push(bytes);
    if (headerOnly && scan.columns > 0) break;
  }
  if (scan.columns === 0) {
    if (scan.offset === 0) {
      throw new InvalidDatasetError(`${file.uri} is empty. A CSV file has a header and rows.`);
    }
    expectEnd(scan);
    // A header without a newline.
    scanChunk(Buffer.from('\n'), scan, delimiter.charCodeAt(0));
  } else if (!headerOnly) {
    endFile(scan);
  }
  const bytes = Buffer.concat(headerBytes);
  return { header: parseHeader(bytes.subarray(0, headerLength(bytes)), delimiter), rows: scan.rows };
}

/**
 * Runs through a chunk, to its end or, where it is to stop after so many rows of the file, to the end of the last of these
 * or of the header; gives how far. A function of its own, with its state in variables, as it sees every byte.
 */
function scanChunk(bytes: Buffer, scan: Scan, delimiter: number, untilRow?: number): number {
  const { offset } = scan;
  let length = bytes.length;
  let { state, fields, recordStart, rows, columns } = scan;
  const endsPlain = new Uint8Array(256);
  for (const byte of [delimiter, NEWLINE, RETURN]) endsPlain[byte] = 1;
  for (let i = 0; i < bytes.length; i++) {
    if (state === IN_QUOTES) {
      i = bytes.indexOf(QUOTE, i);
      if (i === -1) break;
      state = AFTER_QUOTE;
      continue;
    }
    if (state === IN_PLAIN) {
      while (i < bytes.length && endsPlain[bytes[i] ?? 0] === 0) i += 1;
      if (i === bytes.length) break;
    }
    const byte = bytes[i] ?? 0;
    if (byte === NEWLINE) {
      const end = offset + i - (state === AFTER_RETURN ? 1 : 0);
      const isHeader = columns === 0;
      if (isHeader) columns = fields;
      else if (isRow({ start: recordStart, end, fields }, columns)) rows += 1;
      recordStart = offset + i + 1;
      fields = 1;
      state = AT_START;
      if (rows === untilRow || (isHeader && untilRow !== undefined)) {
        length = i + 1;
        break;
      }
    } else if (state === AFTER_RETURN) {
      throw new CsvFault(offset + i, LONE_RETURN);
    } else if (byte === delimiter) {
      fields += 1;
      state = AT_START;
    } else if (byte === RETURN) {
      state = AFTER_RETURN;
    } else if (state === AFTER_QUOTE) {
      if (byte !== QUOTE) throw new CsvFault(offset + i, TEXT_AFTER_QUOTE);
      state = IN_QUOTES;
    } else {
      state = byte === QUOTE && state === AT_START ? IN_QUOTES : IN_PLAIN;
    }
  }
  scan.state = state;
  scan.fields = fields;
  scan.recordStart = recordStart;
  scan.rows = rows;
  scan.columns = columns;
  scan.offset = offset + length;
  return length;
}

function endFile(scan: Scan): void {
  expectEnd(scan);
  const { offset, recordStart, fields, columns } = scan;
  if (offset > recordStart && isRow({ start: recordStart, end: offset, fields }, columns)) scan.rows += 1;
}

/** Throws where the file ends within something. */
function expectEnd({ state, offset, recordStart }: Scan): void {
  if (state === IN_QUOTES) throw new CsvFault(recordStart, UNCLOSED_QUOTE);
  if (state === AFTER_RETURN) throw new CsvFault(offset, LONE_RETURN);
}

/** Bytes of the header's record, without its newline. */
function headerLength(bytes: Buffer): number {
  let quoted = false;
  for (const [index, byte] of bytes.entries()) {
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === NEWLINE && !quoted) return index;
  }
  return bytes.length;
}

/** False for a blank line, which is the empty value of a file of one column, and nothing in any other. */
function isRow(
  { start, end, fields }: { start: number; end: number; fields: number },
  columns: number,
): boolean {
  if (end === start && columns > 1) return false;
  if (fields !== columns) {
    throw new CsvFault(
      start,
      `has ${fields} ${fields === 1 ? 'field' : 'fields'}, but the header has ${columns}. Put quotes around fields that contain the delimiter or a newline, and double a quote within them.`,
    );
  }
  if (end - start > MAX_CSV_RECORD_BYTES) {
    throw new CsvFault(
      start,
      `begins a record of ${end - start} bytes; a CSV record may have ${MAX_CSV_RECORD_BYTES}. Convert the file to Parquet or JSONL.`,
    );
  }
  return true;
}

async function lineAt(file: SourceFile, at: number): Promise<number> {
  let line = 1;
  let offset = 0;
  for await (const bytes of readSourceBytes(file)) {
    line += countNewlines(bytes.subarray(0, Math.max(0, at - offset)));
    offset += bytes.length;
    if (offset >= at) break;
  }
  return line;
}

const LONE_RETURN =
  'has a carriage return outside quotes without a newline after it. End lines with \\n or \\r\\n.';
const TEXT_AFTER_QUOTE = 'has text after a closing quote. Double a quote within quotes: "say ""hello""".';
const UNCLOSED_QUOTE = 'begins a record with a quote that is never closed. Close it.';

/** The fields of a header record whose quotes are sound. */
function parseHeader(record: Buffer, delimiter: string): string[] {
  const text = record.toString().replace(/\r$/, '');
  const fields: string[] = [];
  for (let at = 0; at <= text.length; ) {
    if (text[at] === '"') {
      let end = at + 1;
      while (text[end] !== '"' || text[end + 1] === '"') end += text[end] === '"' ? 2 : 1;
      fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
      at = end + 2;
    } else {
      const next = text.indexOf(delimiter, at);
      const end = next === -1 ? text.length : next;
      fields.push(text.slice(at, end));
      at = end + 1;
    }
  }
  return fields;
}
