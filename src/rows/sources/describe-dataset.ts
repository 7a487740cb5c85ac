import { InvalidDatasetError } from '../../core/errors.ts';
import { isApart, keepApart } from '../../core/plan/names-apart.ts';
import type {
  Column,
  CsvLayout,
  Dataset,
  DatasetFormat,
  DriftedColumn,
  TextLayout,
} from '../../core/plan/part.ts';
import type { GivenFormat } from '../../core/run-input/dataset-input.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { privately } from '../../core/text/private-text.ts';
import type { SourceFile } from '../bytes/source-bytes.ts';
import { type CsvOptions, readCsvStructure, type SkippedRecord } from '../csv/csv-structure.ts';
import { MOST_TEXT_COLUMNS } from '../duckdb/wide-rows.ts';
import { readJsonStructure } from '../json/jsonl-source.ts';
import { readParquetFooters } from '../parquet/parquet-footers.ts';
import { checkNames, namedColumns } from './column-names.ts';
import { formatOf } from './dataset-format.ts';
import { inScratch } from './dataset-rows.ts';
import { listed } from './listed.ts';
import { parseSourceName } from './source-name.ts';
import { driftNote, type FileColumns, type UnionColumns, unionColumns } from './union-columns.ts';

/** A dataset's file, fetched to this machine. */
export interface LocalDatasetFile extends SourceFile {
  bytes: number;
  etag: string;
}

/** What the user says of a dataset's files. */
export interface DescribeOptions {
  /** What they are, whatever their names. */
  format?: GivenFormat | undefined;
  csv?: CsvOptions;
  /** True where files may have different columns. */
  unionByName?: boolean | undefined;
  /** Given the records of CSV that are left out, in order. */
  onSkipped?: (uri: S3Uri, record: SkippedRecord) => Promise<void>;
}

interface FileContent {
  columns: Column[];
  rows: number;
  isPlain?: boolean;
  layout?: TextLayout;
  /** True where the file has nothing in it, not even columns. */
  isEmpty?: boolean;
  /** Columns that come back as another type, with the same values. */
  becomes?: Column[];
}

/**
 * The format, columns and rows of a dataset. Text files are read whole and proven sound; of Parquet files, the footers are
 * read. Throws InvalidDatasetError for whatever could not be read as it says it is, or in more than one way.
 */
export async function describeDataset(
  files: readonly LocalDatasetFile[],
  options: DescribeOptions = {},
): Promise<Dataset> {
  const format = formatOf(
    files.map(({ uri }) => uri),
    options.format,
  );
  const contents = await readContents(format, files, options);
  const { columns, drifts } = columnsOf(files, contents, { ...options, format });
  const where = files[0]?.uri ?? 'The dataset';
  checkNames(where, columns, format);
  if (format !== 'parquet' && columns.length > MOST_TEXT_COLUMNS) {
    throw new InvalidDatasetError(
      `${where} has ${columns.length} columns; CSV and JSON may have ${MOST_TEXT_COLUMNS}. Leave out those that neither prompts nor results need.`,
    );
  }
  const apart = keepApart(columns);
  const nameOf = new Map(columns.map(({ name }, place) => [name, apart[place]?.name ?? name]));
  // Of names that differ by capitals alone, DuckDB's reader of JSON takes one.
  const isToSpell = format === 'jsonl' && apart.some(({ name }) => isApart(name));
  const rows = contents.reduce((sum, content) => sum + content.rows, 0);
  if (rows === 0)
    throw new InvalidDatasetError(`The dataset has no rows: ${listed(files.map(({ uri }) => uri))}.`);
  return {
    format,
    files: files.map(({ uri, bytes, etag }, index) => {
      const { rows: count = 0, isPlain = false, layout } = contents[index] ?? {};
      const drift = (drifts[index] ?? []).map((column) => ({
        ...column,
        name: nameOf.get(column.name) ?? column.name,
      }));
      return {
        uri,
        bytes,
        etag,
        rows: count,
        ...(isPlain && !isToSpell ? { plain: true as const } : {}),
        ...(layout === undefined ? {} : { layout }),
        ...(drift.length === 0 ? {} : { drift }),
      };
    }),
    columns: apart,
    rows,
    ...notesOf(files, contents, drifts),
  };
}

/** What is to be told of the columns' types, once for all files of which it is so. */
function notesOf(
  files: readonly LocalDatasetFile[],
  contents: readonly FileContent[],
  drifts: readonly DriftedColumn[][],
): Pick<Dataset, 'notes'> {
  const uris = new Map<string, string[]>();
  const tell = (note: string | undefined, uri = '') => {
    if (note === undefined) return;
    const told = uris.get(note);
    if (told === undefined) uris.set(note, [uri]);
    else told.push(uri);
  };
  for (const [index, { becomes = [], columns }] of contents.entries()) {
    const drift = drifts[index] ?? [];
    const drifted = new Set(drift.map(({ name }) => name));
    const others = becomes.filter(({ name }) => !drifted.has(name));
    const types = others.map(({ name, type }) => `${name} as ${type}`).join(', ');
    if (types !== '') tell(`comes back with the same values as another type: ${types}`, files[index]?.uri);
    tell(driftNote(drift, columns), files[index]?.uri);
  }
  return uris.size === 0 ? {} : { notes: [...uris].map(([note, names]) => `${listed(names)}: ${note}`) };
}

async function readContents(
  format: DatasetFormat,
  files: readonly LocalDatasetFile[],
  options: DescribeOptions,
): Promise<FileContent[]> {
  if (format === 'parquet') return inScratch((db) => readParquetFooters(db, files));
  const contents: FileContent[] = [];
  for (const file of files) {
    contents.push(format === 'csv' ? await readCsv(file, options) : await readJson(file, options));
  }
  return contents;
}

async function readCsv(
  file: LocalDatasetFile,
  { format, csv = {}, onSkipped }: DescribeOptions,
): Promise<FileContent> {
  const byName = parseSourceName(file.uri, format)?.delimiter;
  const given = { ...csv, delimiter: csv.delimiter ?? byName };
  const structure = await readCsvStructure(file, given, (record) =>
    onSkipped === undefined ? Promise.resolve() : onSkipped(file.uri, record),
  );
  if (structure === undefined) return { columns: [], rows: 0, isEmpty: true };
  const { header, rows, isPlain, encoding, layout } = structure;
  const names = namedColumns(header);
  const unnamed = layout.header === false ? [] : names.filter((_, index) => header[index] === '');
  return {
    columns: names.map(toText),
    rows,
    isPlain,
    ...layoutOf(
      encoding,
      { ...layout, ...(unnamed.length > 0 ? { unnamed } : {}) },
      parseSourceName(file.uri)?.delimiter,
    ),
  };
}

/** What is to be said of a file beside its name. */
function layoutOf(
  encoding: string,
  csv: CsvLayout,
  delimiterByName: string | undefined,
): { layout?: TextLayout } {
  const { delimiter, quote, ...others } = csv;
  const isUsual = delimiter === (delimiterByName ?? ',') && quote === '"' && Object.keys(others).length === 0;
  if (isUsual && encoding === 'utf-8') return {};
  return { layout: { ...(encoding === 'utf-8' ? {} : { encoding }), ...(isUsual ? {} : { csv }) } };
}

async function readJson(file: LocalDatasetFile, { format }: DescribeOptions): Promise<FileContent> {
  const { mayBeList } = parseSourceName(file.uri, format) ?? {};
  const { keys, rows, isPlain, isList, encoding } = await readJsonStructure(file, { mayBeList });
  const layout: TextLayout = {
    ...(encoding === 'utf-8' ? {} : { encoding }),
    ...(isList ? { json_list: true as const } : {}),
  };
  return {
    columns: keys.map(toText),
    rows,
    isPlain,
    ...(Object.keys(layout).length === 0 ? {} : { layout }),
  };
}

function toText(name: string): Column {
  return { name, type: 'VARCHAR' };
}

/** The dataset's columns, and for each file those that it has otherwise. */
function columnsOf(
  files: readonly LocalDatasetFile[],
  contents: readonly FileContent[],
  { format, unionByName, csv }: Omit<DescribeOptions, 'format'> & { format: DatasetFormat },
): UnionColumns {
  const all = files.map(({ uri }, index) => ({
    uri,
    columns: contents[index]?.columns ?? [],
    isEmpty: contents[index]?.isEmpty === true,
  }));
  for (const { uri, columns } of all) checkNames(uri, columns, format);
  // A key that a line lacks is null, in one file as in several.
  if (format === 'jsonl') return { columns: unionColumns(all).columns, drifts: [] };
  if (all.every(({ isEmpty }) => isEmpty)) {
    const isPassing = csv?.skip !== undefined || csv?.comment !== undefined;
    throw new InvalidDatasetError(
      `${files[0]?.uri} is empty${isPassing ? ' but for what is passed over' : ''}. A CSV file has a header and rows.`,
    );
  }
  if (unionByName !== true) requireSameColumns(all.filter(({ isEmpty }) => !isEmpty));
  return unionColumns(all);
}

function requireSameColumns([first, ...others]: readonly FileColumns[]): void {
  const shown = ({ name, type }: Column) => `${name} (${type})`;
  const expected = new Set(first?.columns.map(shown));
  for (const { uri, columns } of others) {
    const actual = new Set(columns.map(shown));
    const missing = [...expected].filter((column) => !actual.has(column));
    const added = [...actual].filter((column) => !expected.has(column));
    if (missing.length + added.length > 0) {
      throw new InvalidDatasetError(
        `The dataset's files have different columns: ${privately(listed(missing) || 'nothing')} only in ${first?.uri}, ${privately(listed(added) || 'nothing')} only in ${uri}. Give files of the same columns and types, or union_by_name (--union-by-name): it takes the wider type, and fills what a file lacks with nulls.`,
      );
    }
  }
}
