import { InvalidDatasetError } from '../../core/errors.ts';
import type { CsvLayout } from '../../core/plan/part.ts';
import { createRecordBytes } from '../bytes/record-bytes.ts';
import { readSourceBytes, type SourceFile } from '../bytes/source-bytes.ts';
import { countNewlines } from '../bytes/source-encoding.ts';
import { parseSourceName } from '../sources/source-name.ts';
import { findForm, type GivenDialect, readSepLine, SAMPLE_BYTES } from './csv-dialect.ts';
import { CsvFault } from './csv-faults.ts';
import { textsOf } from './csv-fields.ts';
import { CsvScanner } from './csv-scanner.ts';
import { NEWLINE, RETURN } from './dialect-bytes.ts';
import type { CsvRecord, ScanOptions } from './scan-options.ts';

/** What the user says of CSV files. */
export interface CsvOptions extends GivenDialect {
  encoding?: string | undefined;
}

/** A record that is left out. */
export interface SkippedRecord {
  /** Line of its beginning. */
  line: number;
  fields: number;
  /** As it stands in the file. */
  text: string;
}

/** What a CSV file is made of. */
export interface CsvStructure {
  /** Names as the file has them; empty where a column has none, and where there is no header. */
  header: string[];
  /** Rows below the header, if there is one. */
  rows: number;
  layout: CsvLayout;
  encoding: string;
  /** True where DuckDB reads what we read. */
  isPlain: boolean;
}

/**
 * Reads a whole CSV file's structure, finds the dialect where nobody says it, and refuses, with the line, what cannot be read in
 * one way only. Undefined where the file has nothing but blank lines and such as are passed over. `onSkipped` is given the records that are left out.
 */
export async function readCsvStructure(
  file: SourceFile,
  options: CsvOptions = {},
  onSkipped?: (record: SkippedRecord) => Promise<void>,
): Promise<CsvStructure | undefined> {
  let encoding = 'utf-8';
  let returns: true | undefined;
  const bytes = readSourceBytes(file, {
    encoding: options.encoding,
    onEncoding: (found) => {
      encoding = found;
    },
    // Of records that are left out, the text is kept.
    isLent: options.ragged !== 'skip',
  });
  const chunks = bytes[Symbol.asyncIterator]();
  try {
    const head = await readHead(chunks);
    if (head.isWhole && isBlank(head.bytes)) return undefined;
    const layout = layoutOf(file, head, options);
    returns = layout.returns;
    const header = await readHeader(head, chunks, layout);
    if (header.names.length === 0) return undefined;
    const counts = await scanAll({ head: header.bytes, chunks, layout, onSkipped }, options);
    const padding = Array.from({ length: counts.columns - header.names.length }, () => '');
    return {
      header: [...header.names, ...padding],
      rows: counts.rows,
      layout: { ...layout, ...counts.layout, ...(padding.length > 0 ? { columns: counts.columns } : {}) },
      encoding,
      isPlain: counts.isPlain && layout.quote === '"' && encoding === 'utf-8',
    };
  } catch (error) {
    throw await explain(file, error, { encoding: options.encoding, returns });
  } finally {
    await chunks.return(undefined);
  }
}

/** The header of a CSV file whose structure was read before; empty where a column has no name in the file. */
export async function readCsvHeader(file: SourceFile): Promise<string[]> {
  const chunks = readSourceBytes(file)[Symbol.asyncIterator]();
  try {
    const { names } = await readHeader(await readHead(chunks), chunks, csvLayoutOf(file));
    return names;
  } catch (error) {
    throw await explain(file, error, csvLayoutOf(file));
  } finally {
    await chunks.return(undefined);
  }
}

/** What a file of a plan is read by. */
export function csvLayoutOf({ uri, layout }: SourceFile): CsvLayout {
  return layout?.csv ?? { delimiter: parseSourceName(uri)?.delimiter ?? ',', quote: '"' };
}

/** How a file of this layout is scanned. */
export function scanOptionsOf(layout: CsvLayout): ScanOptions {
  const { delimiter, quote, ragged, columns, comment, skip, header, sep_line, returns } = layout;
  const dialect = { delimiter, quote, escape: layout.escape };
  const lines = { comment, skip, hasHeader: header ?? true, hasSepLine: sep_line, returns };
  return { dialect, ragged, columns, ...lines };
}

/** What to say of an error; of a fault of the file's, its line. These are counted only here: that would slow down sound files. */
export async function explain(
  file: SourceFile,
  error: unknown,
  { encoding, returns }: { encoding?: string | undefined; returns?: boolean | undefined },
): Promise<unknown> {
  if (!(error instanceof CsvFault)) return error;
  const newline = returns === true ? RETURN : NEWLINE;
  const line = await lineAt(readSourceBytes(file, { encoding }), { at: error.at, newline });
  return new InvalidDatasetError(`Line ${line} of ${file.uri} ${error.message}`, { cause: error });
}

interface Head {
  bytes: Buffer;
  /** True where the file has no more. */
  isWhole: boolean;
}

type Chunks = AsyncIterator<Buffer>;

async function readHead(chunks: Chunks): Promise<Head> {
  const head: Buffer[] = [];
  for (let length = 0; length < SAMPLE_BYTES; ) {
    const { value, done } = await chunks.next();
    if (done) return { bytes: Buffer.concat(head), isWhole: true };
    head.push(Buffer.from(value));
    length += value.length;
  }
  return { bytes: Buffer.concat(head), isWhole: false };
}

function isBlank(bytes: Buffer): boolean {
  return !/[^\r\n]/.test(bytes.toString('latin1'));
}

function layoutOf({ uri }: SourceFile, head: Head, options: CsvOptions): CsvLayout {
  const { ragged = 'refuse', comment, skip = 0, hasHeader = true } = options;
  // A line that is passed over says nothing.
  const sepDelimiter = skip > 0 ? undefined : readSepLine(head.bytes);
  const hasSepLine = sepDelimiter !== undefined;
  const delimiter = options.delimiter ?? sepDelimiter ?? parseSourceName(uri)?.delimiter;
  const given = { ...options, delimiter, ragged, hasSepLine };
  const { dialect, returns } = findForm({ uri, ...head }, given);
  return {
    ...dialect,
    ...(comment === undefined ? {} : { comment }),
    ...(skip === 0 ? {} : { skip }),
    ...(hasHeader ? {} : { header: false as const }),
    ...(hasSepLine ? { sep_line: true as const } : {}),
    ...(returns ? { returns: true as const } : {}),
    ...(ragged === 'refuse' ? {} : { ragged }),
  };
}

/** The header's names, none where the file ends before it, and all bytes that were read for them. */
async function readHeader(
  head: Head,
  chunks: Chunks,
  layout: CsvLayout,
): Promise<{ names: string[]; bytes: Buffer }> {
  let bytes = head.bytes;
  let header: CsvRecord | undefined;
  const scanner = new CsvScanner({
    ...scanOptionsOf(layout),
    onRecord: (record) => {
      header ??= record;
    },
  });
  scanner.scan(bytes, 0);
  for (let isWhole = head.isWhole; header === undefined; ) {
    if (isWhole) {
      scanner.end();
      break;
    }
    const { value, done } = await chunks.next();
    isWhole = done === true;
    if (value === undefined) continue;
    bytes = Buffer.concat([bytes, value]);
    scanner.scan(value, 0);
  }
  if (header === undefined) return { names: [], bytes };
  const texts = textsOf(header, { bytes, offset: 0 }, layout);
  return { names: layout.header === false ? texts.map(() => '') : texts, bytes };
}

interface WholeScan {
  head: Buffer;
  chunks: Chunks;
  layout: CsvLayout;
  onSkipped: ((record: SkippedRecord) => Promise<void>) | undefined;
}

async function scanAll({ head, chunks, layout, onSkipped }: WholeScan, { quote }: CsvOptions) {
  const held = createRecordBytes(layout.returns === true ? RETURN : NEWLINE);
  let skipped: SkippedRecord[] = [];
  const onRecord: ScanOptions['onRecord'] = ({ start, end, fieldEnds }, kind) => {
    if (kind !== 'skipped') return;
    const { bytes, offset } = held.bytes();
    const text = bytes.toString('utf8', start - offset, end - offset);
    skipped.push({ line: held.lineOf(start), fields: fieldEnds.length, text });
  };
  const scanner = new CsvScanner({
    ...scanOptionsOf(layout),
    refusesDoubleQuotes: quote === undefined && layout.quote !== '"',
    ...(layout.ragged === 'skip' ? { onRecord } : {}),
  });
  const handOver = async () => {
    for (const record of skipped) await onSkipped?.(record);
    skipped = [];
  };
  for (let chunk: Buffer | undefined = head; chunk !== undefined; ) {
    if (layout.ragged === 'skip') held.push(chunk, scanner.recordStart);
    scanner.scan(chunk);
    await handOver();
    const next: IteratorResult<Buffer> = await chunks.next();
    chunk = next.done ? undefined : next.value;
  }
  scanner.end();
  await handOver();
  return {
    rows: scanner.rows,
    columns: scanner.columns,
    isPlain: scanner.isPlain,
    layout: {
      ...(scanner.commentLines > 0 ? { comment_lines: scanner.commentLines } : {}),
      ...(scanner.raggedRows > 0 ? { ragged_rows: scanner.raggedRows } : {}),
      ...(scanner.skippedRecords > 0 ? { skipped_records: scanner.skippedRecords } : {}),
    },
  };
}

async function lineAt(
  chunks: AsyncIterable<Buffer>,
  { at, newline }: { at: number; newline: number },
): Promise<number> {
  let line = 1;
  let offset = 0;
  for await (const bytes of chunks) {
    line += countNewlines(bytes.subarray(0, Math.max(0, at - offset)), newline);
    offset += bytes.length;
    if (offset >= at) break;
  }
  return line;
}
