/** The characters that CSV is written with; each is one ASCII character, and an empty quote is none. */
export interface CsvDialect {
  delimiter: string;
  quote: string;
  /** Before a quote, a delimiter, a newline or itself, it says that these are meant. Quotes may be doubled all the same. */
  escape?: string | undefined;
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
  /** Lines, whatever is in them, before the first record. */
  skip?: number | undefined;
  /** Lines that begin with it are no records. */
  comment?: string | undefined;
  /**
   * False where the first record is a row.
   * @default true
   */
  hasHeader?: boolean | undefined;
  /** True where lines end in a carriage return alone. */
  returns?: boolean | undefined;
  /** True where a field that begins with a double quote, though this is not the dialect's, would be a sign that it is. */
  refusesDoubleQuotes?: boolean | undefined;
  /** Called for the header where there is one, for each row, and for each record that is skipped. It takes time. */
  onRecord?: ((record: CsvRecord, kind: 'header' | 'row' | 'skipped') => void) | undefined;
}
