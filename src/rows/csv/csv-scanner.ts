import {
  BLANK_BEFORE_ONE_COLUMN,
  CsvFault,
  LONE_RETURN,
  MAX_CSV_RECORD_BYTES,
  NEWLINE_AMONG_RETURNS,
  OTHER_QUOTE,
  oddEscape,
  otherLength,
  textAfterQuote,
  tooLong,
  UNCLOSED_QUOTE,
} from './csv-faults.ts';
import { bytesOf, type DialectBytes, indexOfAny, NEWLINE, RETURN } from './dialect-bytes.ts';
import type { CsvDialect, RaggedPolicy, ScanOptions } from './scan-options.ts';

const CAPITAL_N = 78;

/** Where in a field the scanner is. */
const AT_START = 0;
const IN_PLAIN = 1;
const IN_QUOTES = 2;
const AFTER_QUOTE = 3;
const AFTER_RETURN = 4;
/** After `\N`, which alone is MySQL's and Hive's null, and stays as it is. */
const AFTER_NULL = 5;
/** In a line that is no record. */
const PASSING = 6;
/** After an escape. */
const ESCAPED_AT_START = 7;
const ESCAPED_IN_PLAIN = 8;
const ESCAPED_IN_QUOTES = 9;

/** Runs through a CSV file, chunk by chunk: the one reading of it, from which rows, bounds and values come. */
export class CsvScanner {
  readonly #dialect: CsvDialect;
  readonly #bytes: DialectBytes;
  readonly #ragged: RaggedPolicy;
  readonly #onRecord: ScanOptions['onRecord'];
  readonly #hasHeader: boolean;
  #state: number;
  #fieldsSoFar = 1;
  #fieldEnds: number[] = [];
  #offset = 0;
  #recordStart = 0;
  #rows = 0;
  #firstFields = 0;
  #widest: number;
  #skippedRecords = 0;
  #raggedRows = 0;
  #commentLines = 0;
  #linesToSkip: number;
  #beganBlank = false;
  #isBeforeHeader: boolean;
  #hasLineFeeds = false;
  #hasReturns = false;
  #isOdd: boolean;

  /** Starts a scan of a file. */
  constructor(options: ScanOptions) {
    const { dialect, ragged = 'refuse', columns = 0, hasSepLine = false, onRecord } = options;
    const { skip = 0, hasHeader = true, returns = false } = options;
    this.#dialect = dialect;
    this.#bytes = bytesOf(options);
    this.#ragged = ragged;
    this.#onRecord = onRecord;
    this.#widest = columns;
    this.#isBeforeHeader = hasSepLine;
    this.#isOdd = hasSepLine || skip > 0 || !hasHeader || returns;
    this.#hasHeader = hasHeader;
    this.#linesToSkip = skip;
    this.#state = skip > 0 ? PASSING : AT_START;
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

  /** Fields of the first record, or of the longest row where they are padded; 0 before the first has ended. */
  get columns(): number {
    return this.#widest;
  }

  get skippedRecords(): number {
    return this.#skippedRecords;
  }

  /** Rows with fewer or more fields than the first record has. */
  get raggedRows(): number {
    return this.#raggedRows;
  }

  /** Lines that begin with the comment's character. */
  get commentLines(): number {
    return this.#commentLines;
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
   * these or of the first record; gives how far. Throws CsvFault.
   */
  scan(bytes: Buffer, untilRow?: number): number {
    // With its state in variables of its own, as it sees every byte.
    const { delimiter, quote, escapeMark, commentMark, foreignQuote, endsPlain, endsQuoted } = this.#bytes;
    const { newline } = this.#bytes;
    const ends = this.#onRecord === undefined ? undefined : this.#fieldEnds;
    const offset = this.#offset;
    let [at, fields] = [this.#state, this.#fieldsSoFar];
    for (let i = 0; i < bytes.length; i++) {
      if (at === IN_QUOTES) {
        i = endsQuoted === undefined ? bytes.indexOf(quote, i) : indexOfAny(bytes, i, endsQuoted);
        if (i === -1) break;
        at = bytes[i] === quote ? AFTER_QUOTE : ESCAPED_IN_QUOTES;
        continue;
      }
      if (at === IN_PLAIN) {
        while (i < bytes.length && endsPlain[bytes[i] ?? 0] === 0) i += 1;
        if (i === bytes.length) break;
      }
      const byte = bytes[i] ?? 0;
      if (at >= PASSING) {
        if (at === PASSING) i = bytes.indexOf(newline, i);
        if (i === -1) break;
        at = at === PASSING ? this.#endPassed(offset + i) : this.#afterEscape(at, byte, offset + i);
      } else if (byte === newline) {
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
      } else if (byte === NEWLINE) {
        throw new CsvFault(offset + i, NEWLINE_AMONG_RETURNS);
      } else if (at === AFTER_QUOTE) {
        if (byte !== quote) throw new CsvFault(offset + i, textAfterQuote(this.#dialect));
        at = IN_QUOTES;
      } else if (at === AT_START && byte === quote) {
        at = IN_QUOTES;
      } else if (at === AFTER_NULL) {
        throw new CsvFault(offset + i, oddEscape(this.#dialect));
      } else if (byte === escapeMark) {
        at = at === AT_START ? ESCAPED_AT_START : ESCAPED_IN_PLAIN;
      } else if (byte === commentMark && at === AT_START && offset + i === this.#recordStart) {
        at = PASSING;
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
    switch (this.#state) {
      case IN_QUOTES:
      case ESCAPED_IN_QUOTES:
        throw new CsvFault(this.#recordStart, UNCLOSED_QUOTE);
      case AFTER_RETURN:
        throw new CsvFault(this.#offset, LONE_RETURN);
      case ESCAPED_AT_START:
      case ESCAPED_IN_PLAIN:
        throw new CsvFault(this.#offset, oddEscape(this.#dialect));
      case PASSING:
        if (this.#offset > this.#recordStart) this.#endPassed(this.#offset - 1);
        break;
      default:
        if (this.#offset > this.#recordStart) this.#endRecord(this.#offset, this.#fieldsSoFar);
    }
    this.#recordStart = this.#offset;
  }

  /** Ends a line that is no record, at its newline; gives the state at the next. */
  #endPassed(at: number): number {
    this.#recordStart = at + 1;
    if (this.#linesToSkip === 0) {
      this.#commentLines += 1;
      this.#isOdd = true;
      return AT_START;
    }
    this.#linesToSkip -= 1;
    return this.#linesToSkip === 0 ? AT_START : PASSING;
  }

  /** The state after an escape and this byte. */
  #afterEscape(state: number, byte: number, at: number): number {
    const { delimiter, quote, escapeMark, newline } = this.#bytes;
    this.#isOdd = true;
    if (state === ESCAPED_AT_START && byte === CAPITAL_N) return AFTER_NULL;
    const isMeant =
      byte === delimiter ||
      byte === quote ||
      byte === escapeMark ||
      byte === newline ||
      // Before `\r\n`, and outside quotes, it is not said that the line goes on.
      ((byte === RETURN || byte === NEWLINE) && state === ESCAPED_IN_QUOTES);
    if (!isMeant) throw new CsvFault(at, oddEscape(this.#dialect));
    return state === ESCAPED_IN_QUOTES ? IN_QUOTES : IN_PLAIN;
  }

  /** Ends the record at a newline; true where the scan is to stop behind it. */
  #endLine(at: number, { isReturned, fields, untilRow }: LineEnd): boolean {
    if (isReturned) this.#hasReturns = true;
    else this.#hasLineFeeds = true;
    const isFirst = this.#firstFields === 0;
    const isRecord = this.#endRecord(isReturned ? at - 1 : at, fields);
    this.#recordStart = at + 1;
    this.#fieldEnds.length = 0;
    return untilRow !== undefined && isRecord && (isFirst || this.#rows === untilRow);
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
      this.#beganBlank ||= this.#firstFields === 0;
      // A blank line is the empty value of a file of one column, and nothing in any other, nor before the header.
      if (this.#firstFields !== 1) return false;
    }
    if (this.#firstFields === 0) {
      this.#firstFields = fields;
      this.#widest = Math.max(this.#widest, fields);
      if (this.#hasHeader) {
        this.#tell(end, 'header');
        return true;
      }
      if (fields === 1 && this.#beganBlank) throw new CsvFault(start, BLANK_BEFORE_ONE_COLUMN);
    }
    if (fields !== this.#firstFields && !this.#takesRagged(end, fields)) return false;
    this.#rows += 1;
    this.#tell(end, 'row');
    return true;
  }

  /** False where a record of another length is skipped. */
  #takesRagged(end: number, fields: number): boolean {
    if (this.#ragged === 'refuse') {
      throw new CsvFault(this.#recordStart, otherLength(fields, this.#firstFields, this.#hasHeader));
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
