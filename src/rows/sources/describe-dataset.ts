import { InvalidDatasetError } from '../../core/errors.ts';
import type { Column, Dataset, DatasetFormat } from '../../core/part.ts';
import { checkNames } from './column-names.ts';
import { readCsvStructure } from './csv-structure.ts';
import { formatOf } from './dataset-format.ts';
import { inScratch } from './dataset-rows.ts';
import { readJsonlStructure } from './jsonl-source.ts';
import { listed } from './listed.ts';
import { readParquetFooters } from './parquet-footers.ts';
import type { SourceFile } from './source-bytes.ts';

/** A dataset's file, fetched to this machine. */
export interface LocalDatasetFile extends SourceFile {
  bytes: number;
  etag: string;
}

interface FileContent {
  columns: Column[];
  rows: number;
  isPlain?: boolean;
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
