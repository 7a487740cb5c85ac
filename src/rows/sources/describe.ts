import { join } from 'node:path';
import { InvalidDatasetError, InvalidRunInputError } from '../../core/errors.ts';
import type { Column, Dataset, DatasetFormat } from '../../core/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import type { RecordFrame } from '../../models/record-frame.ts';
import { placeholdersOf } from '../../prompts/prompt-template.ts';
import { columnText } from '../duckdb/column-text.ts';
import { type DuckDb, openDuckDb } from '../duckdb/duckdb.ts';
import { createScratch } from '../duckdb/scratch.ts';
import { promptSql } from '../prepare/record-sql.ts';
import { readCsvStructure } from './csv-structure.ts';
import { readJsonlStructure } from './jsonl-source.ts';
import { readParquetFooters } from './parquet-footers.ts';
import type { RowWindow, SourceFile } from './source-bytes.ts';
import { KNOWN_ENDINGS, parseSourceName } from './source-name.ts';
import { openRelations } from './source-relation.ts';

/** A dataset's file, fetched to this machine. */
export interface LocalDatasetFile extends SourceFile {
  bytes: number;
  etag: string;
}

/** Longest record id that a column may give, in characters. */
export const MAX_RECORD_ID_CHARACTERS = 256;
/** Most rows that are read to estimate the size of prompts. */
export const MAX_SAMPLED_ROWS = 10_000;

const SAMPLE_WINDOWS = 10;
const DESCRIBE_MEMORY_MB = 512;
const EXAMPLES = 3;

interface FileContent {
  columns: Column[];
  rows: number;
  isPlain?: boolean;
}

/** The format that the files' names say; throws InvalidDatasetError where they differ or say nothing. */
export function formatOf(uris: readonly S3Uri[]): DatasetFormat {
  const [first] = uris;
  if (first === undefined) throw new InvalidDatasetError('The dataset has no files.');
  const formats = uris.map((uri) => ({ uri, format: parseSourceName(uri)?.format }));
  const unknown = formats.filter(({ format }) => format === undefined).map(({ uri }) => uri);
  if (unknown.length > 0) {
    throw new InvalidDatasetError(
      `The names of ${listed(unknown)} do not say what is in them. A dataset's files end in ${KNOWN_ENDINGS}.`,
    );
  }
  const format = parseSourceName(first)?.format;
  const other = formats.find((candidate) => candidate.format !== format);
  if (format === undefined || other !== undefined) {
    throw new InvalidDatasetError(
      `The dataset mixes formats: ${first} is ${format}, ${other?.uri} is ${other?.format}. Give files of one format.`,
    );
  }
  return format;
}

/**
 * The format, columns and rows of a dataset. CSV and JSONL files are read whole and proven sound; of Parquet
 * files, the footers are read. Throws InvalidDatasetError for whatever could not be read as it says it is.
 */
export async function describeDataset(files: readonly LocalDatasetFile[]): Promise<Dataset> {
  const format = formatOf(files.map(({ uri }) => uri));
  const contents = await readContents(format, files);
  const columns = format === 'jsonl' ? unionOf(contents) : sameColumns(files, contents);
  checkNames(files, columns);
  const rows = contents.reduce((sum, content) => sum + content.rows, 0);
  if (rows === 0)
    throw new InvalidDatasetError(`The dataset has no rows: ${listed(files.map(({ uri }) => uri))}.`);
  return {
    format,
    files: files.map(({ uri, bytes, etag }, index) => ({
      uri,
      bytes,
      etag,
      rows: contents[index]?.rows ?? 0,
      ...(contents[index]?.isPlain === true ? { plain: true as const } : {}),
    })),
    columns,
    rows,
  };
}

/** Throws InvalidRunInputError unless every row has its own id in the column: present, not empty, not too long, unique. */
export async function checkRecordIds(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  column: string,
): Promise<void> {
  const found = dataset.columns.find(({ name }) => name === column);
  if (found === undefined) {
    throw new InvalidRunInputError(
      `record_id_column is "${column}", but the dataset has the columns ${dataset.columns.map(({ name }) => name).join(', ')}.`,
    );
  }
  await inScratch(async (db, scratchDirectory) => {
    await db.run('CREATE TABLE ids (id VARCHAR)');
    for (const range of wholeFiles(files, dataset)) {
      for await (const relation of openRelations({
        format: dataset.format,
        columns: [column],
        file: range,
        windows: [range],
        scratchPrefix: join(scratchDirectory, 'text-'),
      })) {
        await using read = relation;
        await db.run(`INSERT INTO ids SELECT ${columnText(found)} FROM ${read.from}`);
      }
    }
    const counts = await db.row(`SELECT
      CAST(count(*) - count(id) AS INTEGER) AS missing,
      CAST(count(*) FILTER (id = '') AS INTEGER) AS "empty",
      CAST(count(*) FILTER (length(id) > ${MAX_RECORD_ID_CHARACTERS}) AS INTEGER) AS "long" FROM ids`);
    const problems = [
      [counts.missing, 'rows without a value (null)'],
      [counts.empty, 'rows with an empty value'],
      [counts.long, `rows with more than ${MAX_RECORD_ID_CHARACTERS} characters`],
    ].flatMap(([rows, what]) => (Number(rows) > 0 ? [`${what}: ${rows}`] : []));
    const duplicates = await db.rows(
      `SELECT id, CAST(count(*) AS INTEGER) AS "rows", CAST(count(*) OVER () AS INTEGER) AS ids FROM ids WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1 ORDER BY count(*) DESC, id LIMIT ${EXAMPLES}`,
    );
    if (duplicates.length > 0) {
      const examples = duplicates.map(({ id, rows }) => `${JSON.stringify(id)} (${rows} rows)`).join(', ');
      problems.push(`values that several rows have: ${duplicates[0]?.ids}, such as ${examples}`);
    }
    if (problems.length > 0) {
      throw new InvalidRunInputError(
        `Column "${column}" cannot give the record ids: ${problems.join('; ')}. Name a column of unique ids, or leave record_id_column out to have rows numbered.`,
      );
    }
  });
}

/** The size of the rendered prompts, in UTF-8 bytes, over a bounded sample of the rows whose prompt is not null. */
export async function samplePromptBytes(
  files: readonly LocalDatasetFile[],
  dataset: Dataset,
  frame: RecordFrame,
): Promise<{ meanBytes: number; maxBytes: number; sampledRows: number }> {
  const prompt = promptSql(frame, dataset.columns);
  const [firstColumn] = dataset.columns;
  const placeholders = placeholdersOf(frame.prompt);
  const columns =
    placeholders.length > 0 ? placeholders : firstColumn === undefined ? [] : [firstColumn.name];
  let [bytes, maxBytes, sampledRows] = [0, 0, 0];
  await inScratch(async (db, scratchDirectory) => {
    for (const range of sampleRanges(wholeFiles(files, dataset), dataset)) {
      for await (const relation of openRelations({
        format: dataset.format,
        columns,
        file: range,
        windows: [range],
        scratchPrefix: join(scratchDirectory, 'text-'),
      })) {
        await using read = relation;
        const sample = await db.row(
          `SELECT CAST(coalesce(sum(size), 0) AS DOUBLE) AS bytes, CAST(coalesce(max(size), 0) AS DOUBLE) AS largest, CAST(count(size) AS INTEGER) AS "rows" FROM (SELECT strlen(${prompt}) AS size FROM ${read.from})`,
        );
        bytes += Number(sample.bytes);
        maxBytes = Math.max(maxBytes, Number(sample.largest));
        sampledRows += Number(sample.rows);
      }
    }
  });
  return { meanBytes: sampledRows === 0 ? 0 : bytes / sampledRows, maxBytes, sampledRows };
}

async function inScratch<T>(use: (db: DuckDb, scratchDirectory: string) => Promise<T>): Promise<T> {
  await using scratch = await createScratch();
  await using db = await openDuckDb({
    memoryMb: DESCRIBE_MEMORY_MB,
    threads: 2,
    scratchDirectory: scratch.path,
  });
  return await use(db, scratch.path);
}

/** Rows of one dataset file. */
type SourceRange = SourceFile & RowWindow;

/** Every row of every file that has some, in order. */
export function wholeFiles(files: readonly LocalDatasetFile[], dataset: Dataset): SourceRange[] {
  return dataset.files.flatMap(({ uri, rows }) => {
    const file = files.find((candidate) => candidate.uri === uri);
    return file === undefined || rows === 0 ? [] : [{ ...file, firstRow: 0, rows }];
  });
}

/** The first rows of text files, which cannot be read elsewhere; windows spread over Parquet ones. */
function sampleRanges(files: readonly SourceRange[], { format, rows }: Dataset): SourceRange[] {
  if (format !== 'parquet' || rows <= MAX_SAMPLED_ROWS) {
    let left = MAX_SAMPLED_ROWS;
    return files.flatMap((file) => {
      const taken = Math.min(left, file.rows);
      left -= taken;
      return taken === 0 ? [] : [{ ...file, rows: taken }];
    });
  }
  const starts = Array.from({ length: SAMPLE_WINDOWS }, (_, index) =>
    Math.floor((index * rows) / SAMPLE_WINDOWS),
  );
  let first = 0;
  return files.flatMap((file) => {
    const base = first;
    first += file.rows;
    return starts
      .filter((start) => start >= base && start < first)
      .map((start) => ({
        ...file,
        firstRow: start - base,
        rows: Math.min(MAX_SAMPLED_ROWS / SAMPLE_WINDOWS, first - start),
      }));
  });
}

async function readContents(
  format: DatasetFormat,
  files: readonly LocalDatasetFile[],
): Promise<FileContent[]> {
  const contents: FileContent[] = [];
  switch (format) {
    case 'parquet':
      return inScratch((db) => readParquetFooters(db, files));
    case 'csv':
      for (const file of files) {
        const { header, rows } = await readCsvStructure(file);
        contents.push({ columns: header.map(toText), rows });
      }
      return contents;
    case 'jsonl':
      for (const file of files) {
        const { keys, rows, isPlain } = await readJsonlStructure(file);
        contents.push({ columns: keys.map(toText), rows, isPlain });
      }
      return contents;
  }
}

function toText(name: string): Column {
  return { name, type: 'VARCHAR' };
}

function unionOf(contents: readonly FileContent[]): Column[] {
  return [...new Set(contents.flatMap(({ columns }) => columns.map(({ name }) => name)))].map(toText);
}

function sameColumns(files: readonly LocalDatasetFile[], contents: readonly FileContent[]): Column[] {
  const [first] = contents;
  if (first === undefined) return [];
  const shown = ({ name, type }: Column) => `${name} (${type})`;
  const expected = new Set(first.columns.map(shown));
  for (const [index, { columns }] of contents.entries()) {
    const actual = new Set(columns.map(shown));
    const missing = [...expected].filter((column) => !actual.has(column));
    const added = [...actual].filter((column) => !expected.has(column));
    if (missing.length + added.length > 0) {
      throw new InvalidDatasetError(
        `The dataset's files have different columns: ${listed(missing) || 'nothing'} only in ${files[0]?.uri}, ${listed(added) || 'nothing'} only in ${files[index]?.uri}. Give files of the same columns and types.`,
      );
    }
  }
  return first.columns;
}

function checkNames(files: readonly LocalDatasetFile[], columns: readonly Column[]): void {
  const where = files[0]?.uri;
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    const folded = name.toLowerCase();
    const twin = seen.get(folded);
    if (name.trim() === '') {
      throw new InvalidDatasetError(`${where} has a column without a name. Give every column a name.`);
    }
    if (twin !== undefined) {
      const same =
        twin === name
          ? `two columns named "${name}"`
          : `columns "${twin}" and "${name}", the same but for capitals`;
      throw new InvalidDatasetError(`${where} has ${same}. Rename one.`);
    }
    if (folded.startsWith('__quarry_') || folded === 'file_row_number' || name.includes('\0')) {
      throw new InvalidDatasetError(
        `${where} has a column ${JSON.stringify(name)}, a name that Quarry needs itself. Rename it.`,
      );
    }
    seen.set(folded, name);
  }
}

function listed(names: readonly string[]): string {
  const more = names.length > EXAMPLES ? ` and ${names.length - EXAMPLES} more` : '';
  return `${names.slice(0, EXAMPLES).join(', ')}${more}`;
}
