import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Slice } from '../../../src/core/plan/part.ts';
import { recordIdOf } from '../../../src/core/record-id.ts';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { readParquetLayout } from '../../../src/rows/parquet/parquet-layout.ts';
import { stageSlice } from '../../../src/rows/prepare/staged-slice.ts';
import { describeDataset, type LocalDatasetFile } from '../../../src/rows/sources/describe-dataset.ts';
import {
  createDirectory,
  prepareAll,
  promptOf,
  query,
  readRecords,
  writeParquet,
} from '../../support/rows.ts';

const ROWS = 120_000;

/** Rows of about 1 kB that pack well. */
function wideRows(options: string): Promise<LocalDatasetFile> {
  return writeParquet(
    'wide.parquet',
    `SELECT i AS n, repeat('x', 900) || i AS "text" FROM range(${ROWS}) r(i)`,
    options,
  );
}

async function staged(file: LocalDatasetFile, { fileRows = ROWS } = {}) {
  const scratchDirectory = await createDirectory();
  const described = await describeDataset([file]);
  const dataset = { ...described, files: described.files.map((known) => ({ ...known, rows: fileRows })) };
  const slice: Slice = {
    slice: 0,
    reads: [{ uri: file.uri, first_row_in_file: 5, rows: ROWS - 10, first_row: 5 }],
    parts: [],
  };
  const db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory });
  const source = await stageSlice({ slice, dataset, fileOf: () => file, scratchDirectory });
  return { db, source, scratchDirectory, layout: await readParquetLayout(file.path) };
}

test('a file of large pages is copied once, and the copy is removed', async () => {
  const file = await wideRows(', ROW_GROUP_SIZE 122880');
  const { db, source, scratchDirectory, layout } = await staged(file);
  expect(layout.hasLargePages).toBe(true);
  const path = join(scratchDirectory, 'staged-0.parquet');
  expect(source.ranges).toEqual([
    { name: file.uri, file: { path }, firstInFile: 0, rows: ROWS - 10, firstRow: 5 },
  ]);
  expect((await readParquetLayout(path)).largestRowGroupBytes).toBeLessThan(20_000_000);
  expect(
    await query(
      `SELECT CAST(min(n) AS INTEGER) AS first, CAST(count(*) AS INTEGER) AS "rows" FROM '${path}'`,
    ),
  ).toEqual([{ first: 5, rows: ROWS - 10 }]);
  await source[Symbol.asyncDispose]();
  expect(await readdir(scratchDirectory)).toEqual([]);
  await db[Symbol.asyncDispose]();
});

test('a file of small row groups is read where it is, two ranges at once', async () => {
  const file = await wideRows(', ROW_GROUP_SIZE 10240');
  await using stack = new AsyncDisposableStack();
  const { db, source } = await staged(file);
  stack.use(db);
  expect(source.ranges[0]?.file.path).toBe(file.path);
  expect(source.limit.concurrency).toBe(2);
});

test('large row groups that are too much to copy are read where they are, one range at a time', async () => {
  const file = await wideRows(', ROW_GROUP_SIZE 122880');
  await using stack = new AsyncDisposableStack();
  // As if the slice were twenty times the file.
  const { db, source } = await staged(file, { fileRows: ROWS / 20 });
  stack.use(db);
  expect(source.ranges[0]?.file.path).toBe(file.path);
  expect(source.limit.concurrency).toBe(1);
});

test('large pages cost no part its rows, and leave nothing behind', async () => {
  const file = await wideRows(', ROW_GROUP_SIZE 122880');
  const scratchDirectory = await createDirectory();
  const parts = await prepareAll([file], '{n}', { rowsPerPart: 50_000, scratchDirectory });
  expect(parts.map(({ part }) => part.records)).toEqual([50_000, 50_000, 20_000]);
  const records = await readRecords(parts[2]?.recordsPath ?? '');
  expect([records[0]?.recordId, promptOf(records[0])]).toEqual([recordIdOf(100_000), '100000']);
  expect((await stat(parts[2]?.rowsPath ?? '')).size).toBeGreaterThan(0);
  expect(await readdir(scratchDirectory)).toEqual([]);
});
