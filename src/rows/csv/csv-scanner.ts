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
  /** True where the first line is not a record. */
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
export class CsvScanner {
  readonly #dialect: CsvDialect;
  readonly #bytes: DialectBytes;
  readonly #ragged: RaggedPolicy;
  readonly #onRecord: ScanOptions['onRecord'];
  #state = AT_START;
  #fieldsSoFar = 1;
  #fieldEnds: number[] = [];
  #offset = 0;
  #recordStart = 0;
  #rows = 0;
  #headerFields = 0;
  #widest: number;
  #skippedRecords = 0;
  #raggedRows = 0;
  #isBeforeHeader: boolean;
  #hasLineFeeds = false;
  #hasReturns = false;
  #isOdd: boolean;

  /** Starts a scan of a file. */
  constructor(options: ScanOptions) {
    const { dialect, ragged = 'refuse', columns = 0, hasSepLine = false, onRecord } = options;
    this.#dialect = dialect;
    this.#bytes = bytesOf(options);
    this.#ragged = ragged;
    this.#onRecord = onRecord;
    this.#widest = columns;
    this.#isBeforeHeader = hasSepLine;
    this.#isOdd = hasSepLine;
  }

  /** Bytes so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Where the record begins that has not ended yet. */
  get recordStart(): number {
    return this.#recordStart;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Fields of the header, or of the longest row where they are padded; 0 before the header has ended. */
  get columns(): number {
    return this.#widest;
  }

  get skippedRecords(): number {
    return this.#skippedRecords;
  }

  /** Rows with fewer or more fields than the header has. */
  get raggedRows(): number {
    return this.#raggedRows;
  }

  /** The newline that the records have so far. */
  get newline(): Buffer {
    return Buffer.from(this.#hasReturns && !this.#hasLineFeeds ? '\r\n' : '\n');
  }

  /** True where so far nothing was seen that another reader may read in another way. */
  get isPlain(): boolean {
    return !this.#isOdd && !(this.#hasReturns && this.#hasLineFeeds);
  }

  /**
   * Runs through a chunk, to its end or, where it is to stop after this many rows of the file, to the end of the last of
   * these or of the header; gives how far. Throws CsvFault.
   */
  scan(bytes: Buffer, untilRow?: number): number {
    // With its state in variables of its own, as it sees every byte.
    const { delimiter, quote, foreignQuote, endsPlain } = this.#bytes;
    const ends = this.#onRecord === undefined ? undefined : this.#fieldEnds;
    const offset = this.#offset;
    let [at, fields] = [this.#state, this.#fieldsSoFar];
    for (let i = 0; i < bytes.length; i++) {
      if (at === IN_QUOTES) {
        i = bytes.indexOf(quote, i);
        if (i === -1) break;
        at = AFTER_QUOTE;
        continue;
      }
      if (at === IN_PLAIN) {
        while (i < bytes.length && endsPlain[bytes[i] ?? 0] === 0) i += 1;
        if (i === bytes.length) break;
      }
      const byte = bytes[i] ?? 0;
      if (byte === NEWLINE) {
        const isLast = this.#endLine(offset + i, { isReturned: at === AFTER_RETURN, fields, untilRow });
        [at, fields] = [AT_START, 1];
        if (isLast) return this.#stopAt(i + 1);
      } else if (at === AFTER_RETURN) {
        throw new CsvFault(offset + i, LONE_RETURN);
      } else if (byte === delimiter) {
        fields += 1;
        ends?.push(offset + i);
        at = AT_START;
      } else if (byte === RETURN) {
        at = AFTER_RETURN;
      } else if (at === AFTER_QUOTE) {
        if (byte !== quote) throw new CsvFault(offset + i, textAfterQuote(this.#dialect));
        at = IN_QUOTES;
      } else if (byte === quote && at === AT_START) {
        at = IN_QUOTES;
      } else {
        if (byte === quote) this.#isOdd = true;
        else if (byte === foreignQuote && at === AT_START) throw new CsvFault(offset + i, OTHER_QUOTE);
        at = IN_PLAIN;
      }
    }
    [this.#state, this.#fieldsSoFar] = [at, fields];
    return this.#endChunk(bytes.length);
  }

  /** Ends a last record that has no newline. */
  end(): void {
    if (this.#state === IN_QUOTES) throw new CsvFault(this.#recordStart, UNCLOSED_QUOTE);
    if (this.#state === AFTER_RETURN) throw new CsvFault(this.#offset, LONE_RETURN);
    if (this.#offset > this.#recordStart) this.#endRecord(this.#offset, this.#fieldsSoFar);
    this.#recordStart = this.#offset;
  }

  /** Ends the record at a newline; true where the scan is to stop behind it. */
  #endLine(at: number, { isReturned, fields, untilRow }: LineEnd): boolean {
    if (isReturned) this.#hasReturns = true;
    else this.#hasLineFeeds = true;
    const isHeader = this.#headerFields === 0;
    const isRecord = this.#endRecord(isReturned ? at - 1 : at, fields);
    this.#recordStart = at + 1;
    this.#fieldEnds.length = 0;
    return untilRow !== undefined && isRecord && (isHeader || this.#rows === untilRow);
  }

  #stopAt(length: number): number {
    [this.#state, this.#fieldsSoFar] = [AT_START, 1];
    this.#offset = this.#recordStart;
    return length;
  }

  #endChunk(length: number): number {
    this.#offset += length;
    const soFar = this.#offset - this.#recordStart;
    if (soFar > MAX_CSV_RECORD_BYTES + 2) throw new CsvFault(this.#recordStart, tooLong(soFar));
    return length;
  }

  /** True where the record is a row, or the header. */
  #endRecord(end: number, fields: number): boolean {
    const start = this.#recordStart;
    if (end - start > MAX_CSV_RECORD_BYTES) throw new CsvFault(start, tooLong(end - start));
    if (this.#isBeforeHeader) {
      this.#isBeforeHeader = false;
      return false;
    }
    if (end === start) {
      this.#isOdd = true;
      // A blank line is the empty value of a file of one column, and nothing in any other, nor before the header.
      if (this.#headerFields !== 1) return false;
    }
    if (this.#headerFields === 0) {
      this.#headerFields = fields;
      this.#widest = Math.max(this.#widest, fields);
      this.#tell(end, 'header');
      return true;
    }
    if (fields !== this.#headerFields && !this.#takesRagged(end, fields)) return false;
    this.#rows += 1;
    this.#tell(end, 'row');
    return true;
  }

  /** False where a record of another length is skipped. */
  #takesRagged(end: number, fields: number): boolean {
    if (this.#ragged === 'refuse') {
      throw new CsvFault(this.#recordStart, otherLength(fields, this.#headerFields));
    }
    this.#isOdd = true;
    if (this.#ragged === 'skip') {
      this.#skippedRecords += 1;
      this.#tell(end, 'skipped');
      return false;
    }
    this.#widest = Math.max(this.#widest, fields);
    this.#raggedRows += 1;
    return true;
  }

  #tell(end: number, kind: 'header' | 'row' | 'skipped'): void {
    this.#onRecord?.({ start: this.#recordStart, end, fieldEnds: [...this.#fieldEnds, end] }, kind);
  }
}

/** How a line ended, and where the scan is to stop. */
interface LineEnd {
  isReturned: boolean;
  fields: number;
  untilRow: number | undefined;
}

/** The bytes that mean something in a dialect. */
interface DialectBytes {
  delimiter: number;
  quote: number;
  /** A quote that must not begin a field. */
  foreignQuote: number;
  /** By byte, 1 where it may end a run of plain text. */
  endsPlain: Uint8Array;
}

function bytesOf({ dialect, refusesDoubleQuotes = false }: ScanOptions): DialectBytes {
  const delimiter = dialect.delimiter.charCodeAt(0);
  const quote = dialect.quote === '' ? NONE : dialect.quote.charCodeAt(0);
  const endsPlain = new Uint8Array(256);
  for (const byte of [delimiter, NEWLINE, RETURN, quote]) endsPlain[byte] = 1;
  return { delimiter, quote, foreignQuote: refusesDoubleQuotes ? DOUBLE_QUOTE : NONE, endsPlain };
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
