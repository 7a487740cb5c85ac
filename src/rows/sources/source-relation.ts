import { rm, stat } from 'node:fs/promises';
import type { Column, DatasetFormat } from '../../core/plan/part.ts';
import type { RowWindow, SourceFile } from '../bytes/source-bytes.ts';
import { CANONICAL_DIALECT } from '../csv/csv-fields.ts';
import { readCanonicalCsv, readCsvRecords } from '../csv/csv-records.ts';
import { type CsvDialect, MAX_CSV_RECORD_BYTES } from '../csv/csv-scanner.ts';
import { csvLayoutOf, readCsvHeader } from '../csv/csv-structure.ts';
import { sqlName, sqlPath, sqlText } from '../duckdb/duckdb.ts';
import { parquetRangeSql } from '../duckdb/parquet.ts';
import { copyJsonAsText, readJsonlRecords, readSpelledRecords } from '../json/jsonl-source.ts';
import { namedColumns } from './column-names.ts';
import { compressionOf } from './source-name.ts';
import { boundsOf, cutText, type TextPiece } from './text-pieces.ts';

/** Bytes of a CSV file that may well be read from its place. */
const SMALL_CSV_BYTES = 16_000_000;
/** DuckDB's buffers for JSON have twice the bytes of the longest line that it may read; fewer are slow. */
const SHORT_LINE_BYTES = 4 * 1024 ** 2;

/** Consecutive rows, in their order, for as long as it is not disposed of. */
export interface SourceRelation extends RowWindow, AsyncDisposable {
  /** What they are read from, for messages. */
  name: string;
  /** SQL that follows FROM: a query over it may select any of the columns, but neither filter nor sort them. */
  from: string;
  /** SQL for a row's number. */
  rowNumber: string;
  /** Where DuckDB may refuse what is read: makes the same readable in another way. */
  spell?: () => Promise<Pick<SourceRelation, 'from' | 'rowNumber'>>;
}

/** What to read: these columns of these rows of a file of this format. */
export interface SourceRequest {
  format: DatasetFormat;
  columns: readonly string[];
  file: SourceFile;
  /** In order. No relation has rows of two of them. */
  windows: readonly RowWindow[];
  /** True for a text file of which DuckDB gives every value as the file has it, or refuses it: a key may be there twice. */
  isPlain?: boolean;
  /** Begins the paths of pieces; no others' may begin so. */
  scratchPrefix: string;
}

/**
 * Makes rows of a dataset file readable, piece by piece: each relation has the rows after those of the one before.
 * CSV and JSONL are read from the file's start, once; Parquet where the rows are.
 */
export async function* openRelations(request: SourceRequest): AsyncGenerator<SourceRelation> {
  switch (request.format) {
    case 'parquet':
      yield* openParquetRelations(request);
      return;
    case 'csv':
      yield* openCsvRelations(request);
      return;
    case 'jsonl':
      yield* openJsonlRelations(request);
      return;
  }
}

async function* openParquetRelations({
  columns,
  file,
  windows,
}: SourceRequest): AsyncGenerator<SourceRelation> {
  for (const window of windows) {
    await file.fetchRows?.(columns, window);
    yield {
      ...window,
      name: file.uri,
      from: parquetRangeSql({ path: file.path, ...window, drift: file.drift }),
      rowNumber: 'file_row_number',
      [Symbol.asyncDispose]: async () => {},
    };
  }
}

async function* openCsvRelations(request: SourceRequest): AsyncGenerator<SourceRelation> {
  const { file, windows, scratchPrefix, isPlain = false } = request;
  const layout = csvLayoutOf(file);
  await using held = new AsyncDisposableStack();
  held.use(await file.hold?.());
  const names = namedColumns(await readCsvHeader(file), layout.columns);
  const read = (paths: readonly string[]) =>
    csvSql(paths, { names, lacking: file.drift ?? [] }, isPlain ? layout : CANONICAL_DIALECT);
  const [window, ...others] = windows;
  const isSmall =
    isPlain && compressionOf(file.uri) === 'none' && (await stat(file.path)).size <= SMALL_CSV_BYTES;
  if (isSmall && window !== undefined && others.length === 0) {
    const kept = held.move();
    yield {
      ...window,
      name: file.uri,
      from: `${read([file.path])} LIMIT ${window.rows} OFFSET ${window.firstRow}`,
      rowNumber: numberSql(0),
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
    return;
  }
  const bounds = boundsOf(windows);
  const records = isPlain ? readCsvRecords(file, bounds) : readCanonicalCsv(file, bounds);
  for await (const piece of cutText(records, { windows, hasHeader: true, scratchPrefix })) {
    yield relationOf(piece, file.uri, read(piece.paths));
  }
}

async function* openJsonlRelations(request: SourceRequest): AsyncGenerator<SourceRelation> {
  if (request.isPlain === true) yield* openPlainJsonl(request);
  else yield* openSpelledJson(request);
}

async function* openPlainJsonl({
  columns,
  file,
  windows,
  scratchPrefix,
}: SourceRequest): AsyncGenerator<SourceRelation> {
  const records = readJsonlRecords(file, boundsOf(windows));
  for await (const piece of cutText(records, { windows, hasHeader: false, scratchPrefix })) {
    const spelled = piece.paths.map((path) => ({ path, to: `${path}.spelled` }));
    const rowNumber = numberSql(piece.firstRow);
    yield {
      ...relationOf(piece, file.uri, plainJsonlSql(piece.paths, columns)),
      spell: async () => {
        let longestBytes = 0;
        for (const { path, to } of spelled) {
          const copied = await copyJsonAsText({ uri: file.uri, path, isUnpacked: true }, { columns, to });
          longestBytes = Math.max(longestBytes, copied.longestBytes);
          await rm(path);
        }
        const paths = spelled.map(({ to }) => to);
        return { from: spelledSql(paths, columns, longestBytes), rowNumber };
      },
      [Symbol.asyncDispose]: async () => {
        await piece[Symbol.asyncDispose]();
        await Promise.all(spelled.map(({ to }) => rm(to, { force: true })));
      },
    };
  }
}

async function* openSpelledJson({
  columns,
  file,
  windows,
  scratchPrefix,
}: SourceRequest): AsyncGenerator<SourceRelation> {
  let longestBytes = 0;
  const records = readSpelledRecords(file, {
    columns,
    bounds: boundsOf(windows),
    onLine: (bytes) => {
      longestBytes = Math.max(longestBytes, bytes);
    },
  });
  for await (const piece of cutText(records, { windows, hasHeader: false, scratchPrefix })) {
    yield relationOf(piece, file.uri, spelledSql(piece.paths, columns, longestBytes));
  }
}

function relationOf(piece: TextPiece, name: string, from: string): SourceRelation {
  const { firstRow, rows } = piece;
  return {
    name,
    firstRow,
    rows,
    from,
    rowNumber: numberSql(firstRow),
    [Symbol.asyncDispose]: () => piece[Symbol.asyncDispose](),
  };
}

/** SQL for the numbers of rows that are read one after the other. */
function numberSql(firstRow: number): string {
  return `(row_number() OVER () + ${firstRow - 1})`;
}

/** On one thread, DuckDB reads the files of a list one after the other. */
function listSql(paths: readonly string[]): string {
  return `[${paths.map(sqlPath).join(', ')}]`;
}

/** SQL for JSONL that is plain. DuckDB refuses it for a key that is there twice. */
function plainJsonlSql(paths: readonly string[], columns: readonly string[]): string {
  const types = columns.map((name) => `${sqlText(name)}: 'VARCHAR'`).join(', ');
  return `read_json(${listSql(paths)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${SHORT_LINE_BYTES})`;
}

/** SQL for what `copyJsonlAsText` wrote. */
function spelledSql(paths: readonly string[], columns: readonly string[], longestBytes: number): string {
  const types = columns.map((_, index) => `c${index}: 'VARCHAR'`).join(', ');
  const named = columns.map((name, index) => `c${index} AS ${sqlName(name)}`).join(', ');
  return `(SELECT ${named} FROM read_json(${listSql(paths)}, format = 'newline_delimited', records = true, hive_partitioning = false, compression = 'uncompressed', columns = {${types}}, maximum_object_size = ${Math.max(SHORT_LINE_BYTES, longestBytes + 1)}))`;
}

/**
 * SQL for CSV of which there is one reading: nothing is guessed, every column is text and nothing is null. In its strict
 * mode the reader refuses what it does not understand, as two kinds of newlines; in the other one it leaves spaces out.
 * `parallel = false`, because the parallel reader fails on quoted newlines. The header is passed over unread.
 */
function csvSql(
  paths: readonly string[],
  { names, lacking }: { names: readonly string[]; lacking: readonly Column[] },
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
    ...names.map((name, index) => `c${index} AS ${sqlName(name)}`),
    ...lacking.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${sqlName(name)}`),
  ].join(', ');
  return `(SELECT ${named} FROM read_csv(${listSql(paths)}, ${options.join(', ')}))`;
}
