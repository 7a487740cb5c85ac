import { InvalidDatasetError } from '../core/errors.ts';
import { readSourceBytes, type SourceFile } from './source-bytes.ts';
import { parseSourceName } from './source-name.ts';

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

/** At the start of a field; in one without quotes; in quotes; after the closing quote; after a carriage return. */
type State = 'start' | 'plain' | 'quoted' | 'closed' | 'return';

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

async function scan(file: SourceFile, { headerOnly }: { headerOnly: boolean }): Promise<CsvStructure> {
  const delimiter = parseSourceName(file.uri)?.delimiter ?? ',';
  const delimiterByte = delimiter.charCodeAt(0);
  let header: string[] | undefined;
  const headerBytes: Buffer[] = [];
  let rows = 0;
  let line = 1;
  let record = { line: 1, start: 0 };
  let fields = 1;
  let state: State = 'start';
  let offset = 0;

  const refuse = (at: number, what: string): never => {
    throw new InvalidDatasetError(`Line ${at} of ${file.uri} ${what}`);
  };
  const endRow = (columns: number, end: number): void => {
    const bytes = end - record.start;
    // A blank line is the empty value of a file of one column, and nothing in any other.
    if (bytes === 0 && columns > 1) return;
    if (fields !== columns) {
      refuse(
        record.line,
        `has ${fields} ${fields === 1 ? 'field' : 'fields'}, but the header has ${columns}. Put quotes around fields that contain the delimiter or a newline, and double a quote within them.`,
      );
    }
    if (bytes > MAX_CSV_RECORD_BYTES) {
      refuse(
        record.line,
        `begins a record of ${bytes} bytes; a CSV record may have ${MAX_CSV_RECORD_BYTES}. Convert the file to Parquet or JSONL.`,
      );
    }
    rows += 1;
  };

  for await (const bytes of readSourceBytes(file)) {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (state === 'quoted') {
        if (byte === QUOTE) state = 'closed';
        else if (byte === NEWLINE) line += 1;
      } else if (byte === NEWLINE) {
        if (header === undefined) {
          header = parseHeader(Buffer.concat([...headerBytes, bytes.subarray(0, i)]), delimiter);
          if (headerOnly) return { header, rows };
        } else {
          endRow(header.length, offset + i - (state === 'return' ? 1 : 0));
        }
        line += 1;
        record = { line, start: offset + i + 1 };
        fields = 1;
        state = 'start';
      } else if (state === 'return') {
        refuse(line, LONE_RETURN);
      } else if (byte === RETURN) {
        state = 'return';
      } else if (byte === delimiterByte) {
        fields += 1;
        state = 'start';
      } else if (state === 'closed') {
        if (byte !== QUOTE) {
          refuse(line, 'has text after a closing quote. Double a quote within quotes: "say ""hello""".');
        }
        state = 'quoted';
      } else {
        state = byte === QUOTE && state === 'start' ? 'quoted' : 'plain';
      }
    }
    if (header === undefined) headerBytes.push(bytes);
    offset += bytes.length;
  }
  const last: State = state;
  if (last === 'quoted') refuse(record.line, 'begins a record with a quote that is never closed. Close it.');
  if (last === 'return') refuse(line, LONE_RETURN);
  if (header === undefined) {
    if (offset === 0)
      throw new InvalidDatasetError(`${file.uri} is empty. A CSV file has a header and rows.`);
    header = parseHeader(Buffer.concat(headerBytes), delimiter);
  } else if (offset > record.start) endRow(header.length, offset);
  return { header, rows };
}

const LONE_RETURN =
  'has a carriage return outside quotes without a newline after it. End lines with \\n or \\r\\n.';

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
