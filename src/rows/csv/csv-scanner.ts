/** The characters that CSV is written with; each is one ASCII character, and an empty quote is none. */
export interface CsvDialect {
  delimiter: string;
  quote: string;
}

/** A record that has ended. */
export interface CsvRecord {
  /** Of the file's bytes. */
  start: number;
  /** Before the newline. */
  end: number;
  /** Ends of its fields. */
  fieldEnds: readonly number[];
}

/** What becomes of records that have not as many fields as the header: a fault, rows all the same, or nothing. */
export type RaggedPolicy = 'refuse' | 'pad' | 'skip';

/** How a file is scanned. */
export interface ScanOptions {
  dialect: CsvDialect;
  /** @default 'refuse' */
  ragged?: RaggedPolicy | undefined;
  /** Columns, where they are known to be more than the header has fields. */
  columns?: number | undefined;
  /** True where the first line is none of the records. */
  hasSepLine?: boolean | undefined;
  /** True where a field that begins with a double quote, though this is not the dialect's, would be a sign that it is. */
  refusesDoubleQuotes?: boolean | undefined;
  /** Called for the header, for each row, and for each record that is skipped. It takes time. */
  onRecord?: ((record: CsvRecord, kind: 'header' | 'row' | 'skipped') => void) | undefined;
}

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

const NEWLINE = 10;
const RETURN = 13;
const DOUBLE_QUOTE = 34;
/** No byte. */
const NONE = 256;

/** Where in a field the scanner is. */
const AT_START = 0;
const IN_PLAIN = 1;
const IN_QUOTES = 2;
const AFTER_QUOTE = 3;
const AFTER_RETURN = 4;

/** Runs through a CSV file, chunk by chunk: the one reading of it, from which rows, bounds and values come. */
export interface CsvScanner {
  /**
   * Runs through a chunk, to its end or, where it is to stop after so many rows of the file, to the end of the last of
   * these or of the header; gives how far. Throws CsvFault.
   */
  scan(chunk: Buffer, untilRow?: number): number;
  /** Ends a last record that has no newline. */
  end(): void;
  /** Bytes so far. */
  offset(): number;
  /** Where the record begins that has not ended yet. */
  recordStart(): number;
  rows(): number;
  /** Fields of the header, or of the longest row where they are padded; 0 before the header has ended. */
  columns(): number;
  skippedRecords(): number;
  /** Rows with fewer or more fields than the header has. */
  raggedRows(): number;
  /** The newline that the records have so far. */
  newline(): Buffer;
  /** True where so far nothing was seen that another reader may read in another way. */
  isPlain(): boolean;
}

/** Starts a scan of a file. */
export function createCsvScanner({
  dialect,
  ragged = 'refuse',
  columns: knownColumns = 0,
  hasSepLine = false,
  refusesDoubleQuotes = false,
  onRecord,
}: ScanOptions): CsvScanner {
  const delimiter = dialect.delimiter.charCodeAt(0);
  const foreignQuote = refusesDoubleQuotes ? DOUBLE_QUOTE : NONE;
  const quote = dialect.quote === '' ? NONE : dialect.quote.charCodeAt(0);
  const endsPlain = new Uint8Array(256);
  for (const byte of [delimiter, NEWLINE, RETURN, quote]) endsPlain[byte] = 1;
  let [state, fieldsSoFar, offset, recordStart, rows] = [AT_START, 1, 0, 0, 0];
  let [headerFields, widest, skippedRecords, raggedRows] = [0, knownColumns, 0, 0];
  let isBeforeHeader = hasSepLine;
  let [hasLineFeeds, hasReturns, isOdd] = [false, false, hasSepLine];
  let fieldEnds: number[] = [];

  /** True where the record is a row, or the header. */
  const endRecord = (end: number, fields: number): boolean => {
    const start = recordStart;
    if (end - start > MAX_CSV_RECORD_BYTES) throw new CsvFault(start, tooLong(end - start));
    if (isBeforeHeader) {
      isBeforeHeader = false;
      return false;
    }
    const isBlank = end === start;
    if (headerFields === 0) {
      if (isBlank) {
        isOdd = true;
        return false;
      }
      headerFields = fields;
      widest = Math.max(widest, fields);
      onRecord?.({ start, end, fieldEnds: [...fieldEnds, end] }, 'header');
      return true;
    }
    // A blank line is the empty value of a file of one column, and nothing in any other.
    if (isBlank) {
      isOdd = true;
      if (headerFields > 1) return false;
    }
    if (fields !== headerFields) {
      if (ragged === 'refuse') throw new CsvFault(start, otherLength(fields, headerFields));
      isOdd = true;
      if (ragged === 'skip') {
        skippedRecords += 1;
        onRecord?.({ start, end, fieldEnds: [...fieldEnds, end] }, 'skipped');
        return false;
      }
      widest = Math.max(widest, fields);
      raggedRows += 1;
    }
    rows += 1;
    onRecord?.({ start, end, fieldEnds: [...fieldEnds, end] }, 'row');
    return true;
  };

  // With its state in variables of its own, as it sees every byte.
  const scan = (bytes: Buffer, untilRow?: number): number => {
    const isMarked = onRecord !== undefined;
    const [delimiterByte, quoteByte, ends] = [delimiter, quote, endsPlain];
    let [at, fields] = [state, fieldsSoFar];
    for (let i = 0; i < bytes.length; i++) {
      if (at === IN_QUOTES) {
        i = bytes.indexOf(quoteByte, i);
        if (i === -1) break;
        at = AFTER_QUOTE;
        continue;
      }
      if (at === IN_PLAIN) {
        while (i < bytes.length && ends[bytes[i] ?? 0] === 0) i += 1;
        if (i === bytes.length) break;
      }
      const byte = bytes[i] ?? 0;
      if (byte === NEWLINE) {
        if (at === AFTER_RETURN) hasReturns = true;
        else hasLineFeeds = true;
        const isHeader = headerFields === 0;
        const isRecord = endRecord(offset + i - (at === AFTER_RETURN ? 1 : 0), fields);
        recordStart = offset + i + 1;
        fields = 1;
        if (isMarked) fieldEnds = [];
        at = AT_START;
        if (untilRow !== undefined && isRecord && (isHeader || rows === untilRow)) {
          [state, fieldsSoFar] = [at, fields];
          offset = recordStart;
          return i + 1;
        }
      } else if (at === AFTER_RETURN) {
        throw new CsvFault(offset + i, LONE_RETURN);
      } else if (byte === delimiterByte) {
        fields += 1;
        if (isMarked) fieldEnds.push(offset + i);
        at = AT_START;
      } else if (byte === RETURN) {
        at = AFTER_RETURN;
      } else if (at === AFTER_QUOTE) {
        if (byte !== quoteByte) throw new CsvFault(offset + i, textAfterQuote(dialect));
        at = IN_QUOTES;
      } else if (byte === quoteByte && at === AT_START) {
        at = IN_QUOTES;
      } else {
        if (byte === quoteByte) isOdd = true;
        else if (byte === foreignQuote && at === AT_START) throw new CsvFault(offset + i, OTHER_QUOTE);
        at = IN_PLAIN;
      }
    }
    [state, fieldsSoFar] = [at, fields];
    offset += bytes.length;
    if (offset - recordStart > MAX_CSV_RECORD_BYTES + 2) {
      throw new CsvFault(recordStart, tooLong(offset - recordStart));
    }
    return bytes.length;
  };

  return {
    scan,
    end: () => {
      if (state === IN_QUOTES) throw new CsvFault(recordStart, UNCLOSED_QUOTE);
      if (state === AFTER_RETURN) throw new CsvFault(offset, LONE_RETURN);
      if (offset > recordStart) endRecord(offset, fieldsSoFar);
      recordStart = offset;
    },
    offset: () => offset,
    recordStart: () => recordStart,
    rows: () => rows,
    columns: () => widest,
    skippedRecords: () => skippedRecords,
    raggedRows: () => raggedRows,
    newline: () => Buffer.from(hasReturns && !hasLineFeeds ? '\r\n' : '\n'),
    isPlain: () => !isOdd && !(hasReturns && hasLineFeeds),
  };
}

const LONE_RETURN =
  'has a carriage return outside quotes without a newline after it. End lines with \\n or \\r\\n.';

const OTHER_QUOTE =
  'has a field that begins with a double quote, though fields before it are quoted with single ones. Say which are meant with csv_quote (--csv-quote).';

function textAfterQuote({ quote }: CsvDialect): string {
  return `has text after a closing quote. Double a quote within quotes: ${quote}say ${quote}${quote}hello${quote}${quote}${quote}. Where quotes mean nothing in this file, give csv_quote none (--csv-quote none).`;
}

const UNCLOSED_QUOTE =
  'begins a record with a quote that is never closed. Close it; or, where quotes mean nothing in this file, give csv_quote none (--csv-quote none).';

function otherLength(fields: number, columns: number): string {
  return `has ${fields} ${fields === 1 ? 'field' : 'fields'}, but the header has ${columns}. Put quotes around fields that contain the delimiter or a newline, and double a quote within them; or say what to do with such records with csv_ragged (--csv-ragged pad or skip).`;
}

function tooLong(bytes: number): string {
  return `begins a record of ${bytes} bytes or more; a CSV record may have ${MAX_CSV_RECORD_BYTES}. Convert the file to Parquet or JSONL.`;
}
