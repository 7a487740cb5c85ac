import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { givenName, isApart } from '../../core/plan/names-apart.ts';
import type { Column } from '../../core/plan/part.ts';
import { MAX_CSV_RECORD_BYTES } from '../csv/csv-faults.ts';
import { CANONICAL_DIALECT } from '../csv/csv-fields.ts';
import { readCanonicalCsv, readCsvRecords } from '../csv/csv-records.ts';
import { csvLayoutOf, readCsvHeader } from '../csv/csv-structure.ts';
import type { CsvDialect } from '../csv/scan-options.ts';
import { sqlName, sqlText } from '../duckdb/duckdb.ts';
import { namedColumns } from './column-names.ts';
import { compressionOf } from './source-name.ts';
import type { FileRead, SourceRelation, TogetherRequest } from './source-relation.ts';
import { boundsOf, cutText } from './text-pieces.ts';
import { listSql, nameOf, numberSql, recordsInTurn, relationOf, windowsOf } from './text-relation.ts';

/** Bytes of a CSV file that may well be read from its place. */
const SMALL_CSV_BYTES = 16_000_000;
/** Headers that are read at once. */
const CONCURRENT_HEADERS = 8;

/** Reads of files whose columns have the same names in the same order. */
interface NamedReads {
  /** Undefined for a column that is not read. */
  names: (string | undefined)[];
  reads: FileRead[];
}

/** Rows of CSV files; those of small ones in one relation as far as they have the same header. */
export async function* openCsvRelations({
  columns,
  reads,
  scratchPrefix,
}: TogetherRequest): AsyncGenerator<SourceRelation> {
  await using held = new AsyncDisposableStack();
  for (const { file } of reads) held.use(await file.hold?.());
  const named: NamedReads[] = [];
  const headers = await pLimit(CONCURRENT_HEADERS).map(reads, async ({ file }) =>
    namedColumns(await readCsvHeader(file), csvLayoutOf(file).columns),
  );
  for (const [index, read] of reads.entries()) {
    const names = headers[index] ?? [];
    const last = named.at(-1);
    if (isDeepStrictEqual(last?.names, names)) last?.reads.push(read);
    else named.push({ names, reads: [read] });
  }
  for (const [index, { names, reads: ofNames }] of named.entries()) {
    yield* openNamedCsv({ names: namesWanted(names, columns), reads: ofNames }, `${scratchPrefix}${index}-`);
  }
}

/** Under what names the columns of a file are read: where some are kept apart, under those that are wanted. */
function namesWanted(names: NamedReads['names'], wanted: readonly string[]): NamedReads['names'] {
  if (!wanted.some(isApart)) return names;
  const wantedOf = new Map(wanted.map((name) => [givenName(name), name]));
  return names.map((name) => wantedOf.get(name ?? ''));
}

async function* openNamedCsv(
  { names, reads }: NamedReads,
  scratchPrefix: string,
): AsyncGenerator<SourceRelation> {
  const [first, ...others] = reads;
  if (first === undefined) return;
  const { file, isPlain = false } = first;
  const layout = csvLayoutOf(file);
  const lacking = file.drift ?? [];
  const windows = windowsOf(reads);
  const [window, ...more] = windows;
  if (window !== undefined && more.length === 0 && (await isReadInPlace(reads))) {
    await using held = new AsyncDisposableStack();
    for (const read of reads) held.use(await read.file.hold?.());
    const from = csvSql(
      reads.map(({ file: { path } }) => path),
      { names, lacking },
      layout,
    );
    const offset = first.windows[0]?.firstRow ?? 0;
    const kept = held.move();
    yield {
      ...window,
      name: nameOf(reads),
      from: others.length > 0 ? from : `${from} LIMIT ${window.rows} OFFSET ${offset}`,
      rowNumber: numberSql(window.firstRow - offset),
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
    return;
  }
  // Files that are joined may have other newlines each, which DuckDB does not take within one.
  const isCopied = isPlain && others.length === 0;
  const records = recordsInTurn(reads, {
    open: (read) => (isCopied ? readCsvRecords : readCanonicalCsv)(read.file, boundsOf(read.windows)),
    hasHeader: true,
  });
  for await (const piece of cutText(records, { windows, hasHeader: true, scratchPrefix })) {
    const from = csvSql(piece.paths, { names, lacking }, isCopied ? layout : CANONICAL_DIALECT);
    yield relationOf(piece, nameOf(reads), from);
  }
}

/** True for files that DuckDB reads as they are, in one go. */
async function isReadInPlace(reads: readonly FileRead[]): Promise<boolean> {
  for (const { file, isPlain = false, wholeBytes } of reads) {
    if (!isPlain || compressionOf(file.uri) !== 'none') return false;
    if ((wholeBytes ?? (await stat(file.path)).size) > SMALL_CSV_BYTES) return false;
  }
  return true;
}

/**
 * SQL for CSV of which there is one reading: nothing is guessed, every column is text and nothing is null. In its strict
 * mode the reader refuses what it does not understand, as two kinds of newlines; in the other one it leaves spaces out.
 * `parallel = false`, because the parallel reader fails on quoted newlines. The header is passed over unread.
 */
function csvSql(
  paths: readonly string[],
  { names, lacking }: { names: NamedReads['names']; lacking: readonly Column[] },
  { delimiter, quote }: CsvDialect,
): string {
  const columns = names.map((_, index) => `c${index}`);
  const options = [
    'auto_detect = false',
    'header = true',
    'parallel = false',
    'strict_mode = true',
    'hive_partitioning = false',
    `columns = {${columns.map((column) => `${column}: 'VARCHAR'`).join(', ')}}`,
    `force_not_null = [${columns.map(sqlText).join(', ')}]`,
    'allow_quoted_nulls = false',
    `delim = ${sqlText(delimiter)}`,
    `quote = ${sqlText(quote)}`,
    `escape = ${sqlText(quote)}`,
    `compression = 'none'`,
    'buffer_size = 16000000',
    // Written anew, a record has two bytes more for each field, and may have each quote doubled.
    `max_line_size = ${2 * MAX_CSV_RECORD_BYTES + 3 * names.length + 1000}`,
  ];
  const named = [
    ...names.flatMap((name, index) => (name === undefined ? [] : [`c${index} AS ${sqlName(name)}`])),
    ...lacking.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${sqlName(name)}`),
  ].join(', ');
  return `(SELECT ${named} FROM read_csv(${listSql(paths)}, ${options.join(', ')}))`;
}
