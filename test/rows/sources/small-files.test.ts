/** Datasets of many small files: read by few statements, and every row in its place all the same. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { DatasetFormat } from '../../../src/core/plan/part.ts';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { firstRows } from '../../../src/rows/sources/dataset-rows.ts';
import { describeDataset, type LocalDatasetFile } from '../../../src/rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../../src/rows/sources/prompt-sample.ts';
import { nameOfSeveral, readTogether, SMALL_FILE_BYTES } from '../../../src/rows/sources/small-files.ts';
import { openRelations } from '../../../src/rows/sources/source-relation.ts';
import {
  converseFrame,
  createDirectory,
  describeFile,
  prepareAll,
  promptOf,
  query,
  readRecords,
} from '../../support/rows.ts';

const FILES = 60;
const ROWS = 3;

/** The value of a row: what CSV and JSON have to quote. */
const textOf = (row: number) => `row ${row}: "a", b\né`;

const fileName = (file: number, ending: string) => `f${String(file).padStart(3, '0')}.${ending}`;

/** Files of some rows each, as `write` makes them. */
async function writeMany(
  ending: string,
  write: (file: number, rows: number[]) => string | Uint8Array,
  files = FILES,
): Promise<LocalDatasetFile[]> {
  const directory = await createDirectory();
  const written: LocalDatasetFile[] = [];
  for (let file = 0; file < files; file++) {
    const path = join(directory, fileName(file, ending));
    const rows = Array.from({ length: ROWS }, (_, index) => file * ROWS + index);
    await writeFile(path, write(file, rows));
    written.push(await describeFile(fileName(file, ending), path));
  }
  return written;
}

async function writeManyParquet(sqlOf: (file: number) => string, files = FILES): Promise<LocalDatasetFile[]> {
  const directory = await createDirectory();
  const written: LocalDatasetFile[] = [];
  await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: directory });
  for (let file = 0; file < files; file++) {
    const path = join(directory, fileName(file, 'parquet'));
    await db.run(`COPY (${sqlOf(file)}) TO '${path}' (FORMAT PARQUET)`);
    written.push(await describeFile(fileName(file, 'parquet'), path));
  }
  return written;
}

const parquetRows = (file: number) =>
  `SELECT i AS n, 'row ' || i || ': "a", b' || chr(10) || 'é' AS v FROM range(${file * ROWS}, ${(file + 1) * ROWS}) r(i)`;

const csvRows = (rows: readonly number[], newline: string) =>
  rows.map((row) => `${row},"${textOf(row).replaceAll('"', '""')}"`).join(newline);

/** In turn: both newlines, a byte order mark, no newline at the end, other columns first. */
function csvOf(file: number, rows: readonly number[]): string {
  const newline = file % 2 === 0 ? '\n' : '\r\n';
  if (file % 7 === 6)
    return `v,n\n${rows.map((row) => `"${textOf(row).replaceAll('"', '""')}",${row}\n`).join('')}`;
  const mark = file % 3 === 2 ? '\ufeff' : '';
  return `${mark}n,v${newline}${csvRows(rows, newline)}${file % 5 === 4 ? '' : newline}`;
}

const jsonOf = (_file: number, rows: readonly number[]) =>
  rows.map((row) => `${JSON.stringify({ n: row, v: textOf(row) })}\n`).join('');

const CASES: Record<
  string,
  { format: DatasetFormat; write: () => Promise<LocalDatasetFile[]>; most: number }
> = {
  'CSV of any newlines': { format: 'csv', write: () => writeMany('csv', csvOf), most: 50 },
  'CSV that is packed': {
    format: 'csv',
    write: () => writeMany('csv.gz', (file, rows) => gzipSync(csvOf(file, rows))),
    most: 50,
  },
  'CSV with a blank line, which is read anew': {
    format: 'csv',
    write: () => writeMany('csv', (_, rows) => `n,v\n\n${csvRows(rows, '\n')}\n`),
    most: 3,
  },
  JSONL: { format: 'jsonl', write: () => writeMany('jsonl', jsonOf), most: 3 },
  'JSONL that is packed': {
    format: 'jsonl',
    write: () => writeMany('jsonl.gz', (file, rows) => gzipSync(jsonOf(file, rows))),
    most: 3,
  },
  'JSONL without a newline at the end': {
    format: 'jsonl',
    write: () => writeMany('jsonl', (file, rows) => jsonOf(file, rows).trimEnd()),
    most: 3,
  },
  'lists of JSON': {
    format: 'jsonl',
    write: () =>
      writeMany('json', (_, rows) => JSON.stringify(rows.map((row) => ({ n: row, v: textOf(row) })))),
    most: 3,
  },
  Parquet: { format: 'parquet', write: () => writeManyParquet(parquetRows), most: 3 },
  'Parquet with the columns in any order': {
    format: 'parquet',
    write: () =>
      writeManyParquet((file) =>
        file % 2 === 0 ? parquetRows(file) : `SELECT v, n FROM (${parquetRows(file)})`,
      ),
    most: 3,
  },
};

test.each(Object.entries(CASES))(
  '%s: few statements, each row with its number',
  async (_, { format, write, most }) => {
    const files = await write();
    const dataset = await describeDataset(files);
    expect(dataset).toMatchObject({ format, rows: FILES * ROWS });
    const scratchDirectory = await createDirectory();
    await using db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
    const rows: unknown[] = [];
    let relations = 0;
    for await (const relation of openRelations({
      format,
      columns: ['n', 'v'],
      reads: firstRows(files, dataset, dataset.rows - 1),
      scratchPrefix: join(scratchDirectory, 'text-'),
    })) {
      await using read = relation;
      relations += 1;
      const found = await db.rows(
        `SELECT CAST(${read.rowNumber} AS INTEGER) AS number, CAST(n AS INTEGER) AS n, v FROM ${read.from}`,
      );
      expect(found).toHaveLength(read.rows);
      expect(found[0]?.number).toBe(read.firstRow);
      rows.push(...found);
    }
    expect(rows).toEqual(
      Array.from({ length: FILES * ROWS - 1 }, (_each, row) => ({ number: row, n: row, v: textOf(row) })),
    );
    expect(relations).toBeLessThanOrEqual(most);
  },
);

test.each(Object.entries(CASES))('%s: prepared in parts that end within files', async (_, { write }) => {
  const files = await write();
  const prepared = await prepareAll(files, '{n} {v}', { rowsPerPart: 50 });
  const records = (await Promise.all(prepared.map(({ recordsPath }) => readRecords(recordsPath)))).flat();
  expect(records.map(promptOf)).toEqual(
    Array.from({ length: FILES * ROWS }, (_each, row) => `${row} ${textOf(row)}`),
  );
  expect(records.map(({ recordId }) => recordId)).toEqual(
    Array.from({ length: FILES * ROWS }, (_each, row) => `r${String(row).padStart(10, '0')}`),
  );
  const [{ rowsPath } = { rowsPath: '' }] = prepared;
  expect(await query(`SELECT CAST(n AS INTEGER) AS n, v FROM '${rowsPath}' LIMIT 1`)).toEqual([
    { n: 0, v: textOf(0) },
  ]);
});

test('a column that has the name of DuckDB’s number of a file keeps its values, and rows their places', async () => {
  const files = await writeManyParquet(
    (file) => `SELECT *, 'mine ' || n AS file_index FROM (${parquetRows(file)})`,
    5,
  );
  const [part] = await prepareAll(files, '{file_index}');
  const records = await readRecords(part?.recordsPath ?? '');
  expect(records.map(promptOf)).toEqual(Array.from({ length: 5 * ROWS }, (_, row) => `mine ${row}`));
});

test('of many small Parquet files, the one with damaged pages is named', async () => {
  const files = await writeManyParquet(parquetRows, 9);
  const dataset = await describeDataset(files);
  const path = files[6]?.path ?? '';
  const bytes = await readFile(path);
  await writeFile(path, bytes.fill(0xff, 4, 60));
  const message = 's3://data/f006.parquet is damaged, or written in a way that Quarry does not read';
  await expect(samplePromptBytes(files, dataset, converseFrame('{v}'))).rejects.toThrow(message);
  await expect(prepareAll(files, '{v}', { dataset })).rejects.toThrow(message);
});

test('of many small text files, the one that has other rows than were planned is named', async () => {
  const files = await writeMany('jsonl', jsonOf, 9);
  const dataset = await describeDataset(files);
  await writeFile(files[6]?.path ?? '', jsonOf(6, [18]));
  await expect(prepareAll(files, '{v}', { dataset })).rejects.toThrow(
    's3://data/f006.jsonl has 1 rows where 3 were expected',
  );
});

test('files are read together up to their bytes, their number and their columns, where they are alike', () => {
  const runsOf = (files: { key?: string; bytes: number }[], columns = 1) =>
    [...readTogether(files, ({ key, bytes }) => ({ key, bytes }), columns)].map(({ length }) => length);
  const alike = (count: number, bytes: number) => Array.from({ length: count }, () => ({ key: 'a', bytes }));
  expect(runsOf([])).toEqual([]);
  expect(runsOf(alike(3, 10))).toEqual([3]);
  expect(runsOf(alike(40, SMALL_FILE_BYTES))).toEqual([16, 16, 8]);
  expect(runsOf(alike(1_001, 1))).toEqual([500, 500, 1]);
  expect(runsOf(alike(9, 1), 5_000)).toEqual([4, 4, 1]);
  expect(runsOf(alike(2, 1), 1_000_000)).toEqual([1, 1]);
  expect(runsOf([{ key: 'a', bytes: 1 }, { key: 'b', bytes: 1 }, { bytes: 1 }, { bytes: 1 }])).toEqual([
    1, 1, 1, 1,
  ]);
  expect(nameOfSeveral(['a'])).toBe('a');
  expect(nameOfSeveral(['a', 'b', 'c'])).toBe('a and 2 more, up to c,');
});
