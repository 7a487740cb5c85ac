import type { CsvDialect } from './scan-options.ts';

/** Longest record of a CSV file, in bytes. DuckDB makes buffers of sixteen times its own `max_line_size`. */
export const MAX_CSV_RECORD_BYTES = 4_000_000;

/** A fault at a byte of the unpacked file, not counting a byte order mark. */
export class CsvFault extends Error {
  readonly at: number;
  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

export const LONE_RETURN =
  'has a carriage return outside quotes without a newline after it. End lines with \\n or \\r\\n.';

export const NEWLINE_AMONG_RETURNS =
  'has a newline outside quotes, though lines before it end in carriage returns. End all lines with \\n or \\r\\n.';

export const OTHER_QUOTE =
  'has a field that begins with a double quote, though fields before it are quoted with single ones. Say which are meant with csv_quote (--csv-quote).';

export const UNCLOSED_QUOTE =
  'begins a record with a quote that is never closed. Close it; or, where quotes mean nothing in this file, give csv_quote none (--csv-quote none).';

export const BLANK_BEFORE_ONE_COLUMN =
  'is the first record of one column without a header, with blank lines before it, which may be empty values or nothing. Remove them, or pass over them with csv_skip (--csv-skip).';

/** Of text behind a closing quote. */
export function textAfterQuote({ quote, escape: mark }: CsvDialect): string {
  const backslash =
    mark === undefined ? ` Where a backslash stands before it, give csv_escape (--csv-escape '\\').` : '';
  return `has text after a closing quote. Double a quote within quotes: ${quote}say ${quote}${quote}hello${quote}${quote}${quote}.${backslash} Where quotes mean nothing in this file, give csv_quote none (--csv-quote none).`;
}

/** Of an escape before what some readers take for one thing, and some for another. */
export function oddEscape({ escape: mark = '' }: CsvDialect): string {
  return `has ${mark} before a character that is neither a quote, the delimiter, a newline nor another ${mark}: readers take that for different things. Write ${mark}${mark} for one of them; or, where it means nothing in this file, leave csv_escape out (--csv-escape).`;
}

/** Of a record that is longer or shorter than the first. */
export function otherLength(fields: number, columns: number, hasHeader: boolean): string {
  return `has ${fields} ${fields === 1 ? 'field' : 'fields'}, but the ${hasHeader ? 'header' : 'first record'} has ${columns}. Put quotes around fields that contain the delimiter or a newline, and double a quote within them; or say what to do with such records with csv_ragged (--csv-ragged pad or skip).`;
}

/** Of a record that is too long. */
export function tooLong(bytes: number): string {
  return `begins a record of ${bytes} bytes or more; a CSV record may have ${MAX_CSV_RECORD_BYTES}. Convert the file to Parquet or JSONL.`;
}
