import { InvalidDatasetError } from '../../core/errors.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { CsvFault, LONE_RETURN, NEWLINE_AMONG_RETURNS } from './csv-faults.ts';
import { CsvScanner } from './csv-scanner.ts';
import type { CsvDialect, RaggedPolicy } from './scan-options.ts';

/** What the user, or the file's name, says of the dialect. */
export interface GivenDialect {
  delimiter?: string | undefined;
  quote?: string | undefined;
  /** Before a quote, a delimiter, a newline or itself, it says that these are meant. */
  escape?: string | undefined;
  /** Lines that begin with it are no records. */
  comment?: string | undefined;
  /** Lines before the first record. */
  skip?: number | undefined;
  /** False where the first record is a row. */
  hasHeader?: boolean | undefined;
  ragged?: RaggedPolicy | undefined;
}

/** The beginning of a file, by which its dialect is found. */
export interface CsvSample {
  uri: S3Uri;
  bytes: Buffer;
  /** True where the file has no more than this. */
  isWhole: boolean;
}

/** Bytes of a file that its dialect is found by. */
export const SAMPLE_BYTES = 1 << 18;

const DELIMITERS = [',', ';', '\t', '|'];
const DOUBLE_QUOTE = 34;
const USUAL: CsvDialect = { delimiter: ',', quote: '"' };

/** How a sample reads in one dialect. */
interface Reading {
  dialect: CsvDialect;
  /** Fields of the first record. */
  columns: number;
  /** True where each record has as many fields as the header, and each quote is sound. */
  isEven: boolean;
  /** True where a field begins with a double quote that is not one of this dialect's. */
  hasOtherQuotes: boolean;
  /** What is wrong with the first record of which something is. */
  fault?: string;
}

/** The line `sep=;` that Excel takes for its own, and what it says; undefined where the sample begins with another line. */
export function readSepLine(sample: Buffer): string | undefined {
  return /^sep=(.)(?:\r\n?|\n)/i.exec(sample.toString('latin1', 0, 16))?.[1];
}

/** How a file is written. */
export interface FoundForm {
  dialect: CsvDialect;
  /** True where lines end in a carriage return alone. */
  returns: boolean;
}

type Given = GivenDialect & { hasSepLine: boolean };

/**
 * Finds what a file is written with. Its lines end in carriage returns where no newline is outside quotes. Throws
 * InvalidDatasetError where there are several ways to read it, since a guess could change every value.
 */
export function findForm(sample: CsvSample, given: Given): FoundForm {
  const usual = { dialect: findDialect(sample, { ...given, returns: false }), returns: false };
  if (!/\r(?!\n)/.test(sample.bytes.toString('latin1'))) return usual;
  const { fault, columns } = readAs(sample, usual.dialect, { ...given, returns: false });
  const mayBePassed = given.skip !== undefined || given.comment !== undefined;
  if (fault !== LONE_RETURN && !mayBePassed) return usual;
  const dialect = findDialect(sample, { ...given, returns: true });
  const reading = readAs(sample, dialect, { ...given, returns: true });
  if (reading.fault === NEWLINE_AMONG_RETURNS || reading.columns === 0) return usual;
  if (fault !== LONE_RETURN && columns > 0) {
    throw new InvalidDatasetError(
      `${sample.uri} can be read in 2 ways: its lines end in newlines, or in carriage returns. Write it with newlines alone.`,
    );
  }
  return { dialect, returns: true };
}

/**
 * Finds the dialect: the one delimiter that gives every record as many fields as the header, at least two.
 * Throws InvalidDatasetError where there are several. Where there
 * is none, the dialect is one in which the file's fault can be told, or that of a single column.
 */
function findDialect(sample: CsvSample, given: Given & { returns: boolean }): CsvDialect {
  const { delimiter, quote, ragged = 'refuse' } = given;
  const others = [given.escape, given.comment];
  const delimiters =
    delimiter === undefined ? DELIMITERS.filter((each) => !others.includes(each)) : [delimiter];
  const readWith = (each: string) =>
    delimiters.map((candidate) =>
      readAs(sample, { delimiter: candidate, quote: each, ...escapeOf(given) }, given),
    );
  const readings = readWith(quote ?? '"');
  const tables = readings.filter(isTable);
  if (tables.length > 1) throw ambiguous(sample.uri, tables);
  if (tables[0] !== undefined) return tables[0].dialect;
  if (quote === undefined && !others.includes(`'`)) {
    const [only, ...more] = readWith(`'`).filter((reading) => isTable(reading) && !reading.hasOtherQuotes);
    if (only !== undefined && more.length === 0) return only.dialect;
  }
  const wide = readings.filter(({ columns }) => columns > 1);
  const [first] = readings;
  // One column of texts that have the delimiter in them, or records of other lengths: who knows?
  const isOneColumn = first !== undefined && first.columns === 1 && first.isEven;
  if (
    wide.length > (ragged === 'refuse' ? Number.POSITIVE_INFINITY : 1) ||
    (wide.length > 0 && isOneColumn)
  ) {
    throw ambiguous(sample.uri, isOneColumn ? [first, ...wide] : wide);
  }
  return (wide[0] ?? first)?.dialect ?? USUAL;
}

function isTable({ columns, isEven }: Reading): boolean {
  return isEven && columns > 1;
}

function ambiguous(uri: S3Uri, readings: readonly Reading[]): InvalidDatasetError {
  const ways = readings
    .map(
      ({ dialect, columns }) =>
        `${nameOf(dialect.delimiter)} gives ${columns} ${columns === 1 ? 'column' : 'columns'}`,
    )
    .join(', ');
  return new InvalidDatasetError(
    `${uri} can be read in ${readings.length} ways: ${ways}. Say which is meant with csv_delimiter (--csv-delimiter).`,
  );
}

function readAs(
  { bytes, isWhole }: CsvSample,
  dialect: CsvDialect,
  given: Given & { returns: boolean },
): Reading {
  let [columns, isEven, hasOtherQuotes] = [0, true, false];
  let fault: string | undefined;
  const scanner = new CsvScanner({
    ...given,
    dialect,
    ragged: 'pad',
    onRecord: ({ start, fieldEnds }) => {
      hasOtherQuotes ||= [start - 1, ...fieldEnds.slice(0, -1)].some(
        (end) => bytes[end + 1] === DOUBLE_QUOTE,
      );
      columns ||= fieldEnds.length;
      isEven &&= fieldEnds.length === columns;
    },
  });
  try {
    scanner.scan(bytes);
    if (isWhole) scanner.end();
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    isEven = false;
    fault = error.message;
  }
  return {
    dialect,
    columns,
    isEven,
    hasOtherQuotes: hasOtherQuotes && dialect.quote !== '"',
    ...(fault === undefined ? {} : { fault }),
  };
}

/** The escape, where there is one. */
function escapeOf({ escape: escapeMark }: GivenDialect): Pick<CsvDialect, 'escape'> {
  return escapeMark === undefined ? {} : { escape: escapeMark };
}

/** A delimiter for messages. */
export function nameOf(delimiter: string): string {
  return delimiter === '\t' ? 'a tab' : `"${delimiter}"`;
}
