import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import type { Dataset } from '../../../src/core/plan/part.ts';
import { recordIdOf } from '../../../src/core/record-id.ts';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { describeDataset, type LocalDatasetFile } from '../../../src/rows/sources/describe-dataset.ts';
import {
  CONVERSE_BODY,
  createDirectory,
  describeFile,
  prepareAll,
  promptOf,
  query,
  readRecords,
  typesOf,
  writeParquet,
  writeSource,
} from '../../support/rows.ts';

test('a row whose prompt needs a null is kept, marked, and not sent', async () => {
  const file = await writeParquet(
    'n.parquet',
    `SELECT * FROM (VALUES ('a', 1), (NULL, 2), ('', NULL)) AS t("text", n)`,
  );
  const [prepared] = await prepareAll([file], 'Say {text}');
  expect(prepared?.part).toMatchObject({ rows: 3, records: 2 });
  expect((await readRecords(prepared?.recordsPath ?? '')).map(({ recordId }) => recordId)).toEqual([
    recordIdOf(0),
    recordIdOf(2),
  ]);
  expect(
    await query(
      `SELECT "text", n, __quarry_record_id AS id, __quarry_error_code AS code FROM '${prepared?.rowsPath}'`,
    ),
  ).toEqual([
    { text: 'a', n: 1, id: recordIdOf(0), code: null },
    { text: null, n: 2, id: recordIdOf(1), code: 'NullPromptValue' },
    { text: '', n: null, id: recordIdOf(2), code: null },
  ]);
});

test('a part whose rows are all without a prompt has an empty JSONL', async () => {
  const file = await writeParquet('n.parquet', `SELECT CAST(NULL AS VARCHAR) AS "text" FROM range(3)`);
  const [prepared] = await prepareAll([file], '{text}');
  expect(prepared?.part).toMatchObject({ rows: 3, records: 0, bytes: 0 });
  expect((await stat(prepared?.recordsPath ?? '')).size).toBe(0);
});

test('types of the input are kept in the rows', async () => {
  const types: Record<string, string> = {
    a: 'TINYINT',
    b: 'USMALLINT',
    c: 'BIGINT',
    d: 'UBIGINT',
    e: 'FLOAT',
    f: 'DOUBLE',
    g: 'DECIMAL(9,2)',
    h: 'BOOLEAN',
    i: 'DATE',
    j: 'TIME',
    k: 'TIMESTAMP',
    l: 'TIMESTAMP WITH TIME ZONE',
    m: 'BLOB',
    n: 'UUID',
    o: 'INTEGER[]',
    p: 'STRUCT(x INTEGER, y VARCHAR)',
    q: 'MAP(VARCHAR, INTEGER)',
    r: 'TIMESTAMP_NS',
    s: 'INTERVAL',
  };
  const select = Object.entries(types).map(([name, type]) => `CAST(NULL AS ${type}) AS ${name}`);
  const file = await writeParquet('types.parquet', `SELECT ${select.join(', ')} FROM range(2)`);
  const [prepared] = await prepareAll([file], 'x');
  expect(await typesOf(prepared?.rowsPath ?? '')).toEqual({
    ...types,
    __quarry_record_id: 'VARCHAR',
    __quarry_error_code: 'VARCHAR',
  });
});

test('a part that is too large is split in two until it fits, and no row is lost', async () => {
  const file = await writeSource(
    's.csv',
    `n,text\n${Array.from({ length: 20 }, (_, n) => `${n},${'x'.repeat(n * 10)}\n`).join('')}`,
  );
  const [whole] = await prepareAll([file], '{text}');
  const all = await readRecords(whole?.recordsPath ?? '');
  const maxBytes = 900;
  const parts = await prepareAll([file], '{text}', { rowsPerPart: 10, maxBytes });
  expect(parts.map(({ part }) => part.part_id)).toEqual([
    'p0a',
    'p0ba',
    'p0bb',
    'p1aa',
    'p1ab',
    'p1ba',
    'p1bb',
  ]);
  let next = 0;
  const records = [];
  for (const { part, recordsPath } of parts) {
    expect(part.first_row).toBe(next);
    next += part.rows;
    expect(part.bytes).toBe((await stat(recordsPath)).size);
    expect(part.bytes).toBeLessThanOrEqual(maxBytes);
    records.push(...(await readRecords(recordsPath)));
  }
  expect(next).toBe(20);
  expect(records).toEqual(all);
});

test('parts of exactly the largest size are not split, and one row beyond it is refused', async () => {
  const file = await writeSource('s.csv', 'text\nabc\ndef\n');
  const [whole] = await prepareAll([file], '{text}');
  const bytes = whole?.part.bytes ?? 0;
  expect((await prepareAll([file], '{text}', { maxBytes: bytes })).map(({ part }) => part.part_id)).toEqual([
    'p0',
  ]);
  expect(
    (await prepareAll([file], '{text}', { maxBytes: bytes - 1 })).map(({ part }) => part.part_id),
  ).toEqual(['p0a', 'p0b']);
  await expect(prepareAll([file], '{text}', { maxBytes: 50 })).rejects.toThrow(
    'The record of row 0 has more than 50 bytes',
  );
});

test('parts that exist are skipped, halves too, and the same call twice leaves the same bytes', async () => {
  const file = await writeParquet('s.parquet', `SELECT 'row ' || i AS "text" FROM range(40) r(i)`);
  const options = { rowsPerPart: 20, maxBytes: 1700 };
  const first = await prepareAll([file], '{text}', options);
  expect(first.map(({ part }) => part.part_id)).toEqual(['p0a', 'p0b', 'p1a', 'p1b']);
  const again = await prepareAll([file], '{text}', {
    ...options,
    skip: ({ part_id }) => part_id.startsWith('p0') || part_id === 'p1a',
  });
  expect(again.map(({ part }) => part.part_id)).toEqual(['p1b']);
  for (const name of ['recordsPath', 'rowsPath'] as const) {
    expect(await readFile(again[0]?.[name] ?? '')).toEqual(await readFile(first[3]?.[name] ?? ''));
  }
  expect(await prepareAll([file], '{text}', { ...options, skip: () => true })).toEqual([]);
});

test('a slice reads its own rows of each file, wherever they are, and leaves nothing behind', async () => {
  const csv = await Promise.all(
    [0, 10].map((from) =>
      writeSource(`part-${from}.csv`, `n\n${Array.from({ length: 10 }, (_, n) => `${from + n}\n`).join('')}`),
    ),
  );
  const jsonl = await Promise.all(
    [0, 10].map((from) =>
      writeSource(
        `part-${from}.jsonl.gz`,
        gzipSync(Array.from({ length: 10 }, (_, n) => `{"n":${from + n}}\n`).join('')),
      ),
    ),
  );
  const parquet = await Promise.all(
    [0, 10].map((from) =>
      writeParquet(
        `part-${from}.parquet`,
        `SELECT ${from} + i AS n FROM range(10) r(i)`,
        ', ROW_GROUP_SIZE 2048',
      ),
    ),
  );
  for (const files of [csv, jsonl, parquet]) {
    const [a, b] = files;
    if (a === undefined || b === undefined) throw new Error('no files');
    const scratchDirectory = await createDirectory();
    const parts = await prepareAll(files, '{n}', {
      scratchDirectory,
      slice: {
        slice: 1,
        reads: [
          { uri: a.uri, first_row_in_file: 7, rows: 3, first_row: 7 },
          { uri: b.uri, first_row_in_file: 0, rows: 4, first_row: 10 },
        ],
        parts: [
          { part_id: 'x', variant: 0, first_row: 7, rows: 2 },
          { part_id: 'y', variant: 0, first_row: 9, rows: 5 },
        ],
      },
    });
    const records = (await Promise.all(parts.map(({ recordsPath }) => readRecords(recordsPath)))).map(
      (part) => part.map((record) => `${record.recordId} ${promptOf(record)}`),
    );
    const expected = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => `${recordIdOf(from + n)} ${from + n}`);
    expect(records).toEqual([expected(7, 9), expected(9, 14)]);
    expect(await readdir(scratchDirectory)).toEqual([]);
  }
});

test('a dataset that was changed after it was planned is refused', async () => {
  const grown = async (name: string, before: string, after: string) => {
    const dataset = await describeDataset([await writeSource(name, before)]);
    return prepareAll([await writeSource(name, after)], 'x', { dataset });
  };
  await expect(grown('x.csv', 'a\n1\n2\n', 'a\n1\n')).rejects.toThrow(
    's3://data/x.csv has 1 rows where 2 were expected',
  );
  await expect(grown('x.csv', 'a\n1\n', 'b\n1\n')).rejects.toThrow(
    's3://data/x.csv no longer has the columns that it had when the run was planned. Start a new run.',
  );
  await expect(grown('x.jsonl', '{"a":1}\n{"a":1}', '{"a":1}')).rejects.toThrow(
    's3://data/x.jsonl has 1 rows where 2 were expected',
  );
  const short = await writeParquet('x.parquet', 'SELECT 1 AS n');
  const dataset: Dataset = { ...(await describeDataset([short])), rows: 2 };
  const file = dataset.files[0];
  if (file === undefined) throw new Error('no file');
  dataset.files[0] = { ...file, rows: 2 };
  await expect(prepareAll([short], '{n}', { dataset })).rejects.toThrow(
    's3://data/x.parquet has 1 rows where 2 were expected',
  );
});

test('a slice whose files do not have the rows of its parts is refused', async () => {
  const file = await writeParquet('x.parquet', 'SELECT 1 AS n');
  const slice = {
    slice: 0,
    reads: [{ uri: file.uri, first_row_in_file: 0, rows: 1, first_row: 0 }],
    parts: [{ part_id: 'p', variant: 0, first_row: 0, rows: 2 }],
  };
  await expect(prepareAll([file], '{n}', { slice })).rejects.toThrow(
    "the slice's files for part p has 1 rows",
  );
});

test('Parquet of another writer is read, and its odd names and values', async () => {
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'the "text"', data: ['\ufeffa', "b'c", '{n}$&'], type: 'STRING' },
      { name: 'n', data: [1n, 2n, 3n], type: 'INT64' },
    ],
  });
  const file = await writeSource('year=2024/h.parquet', new Uint8Array(bytes));
  const dataset = await describeDataset([file]);
  expect(dataset.columns).toEqual([
    { name: 'the "text"', type: 'VARCHAR' },
    { name: 'n', type: 'BIGINT' },
  ]);
  const [prepared] = await prepareAll([file], '{the "text"}/{n}');
  expect((await readRecords(prepared?.recordsPath ?? '')).map(promptOf)).toEqual([
    '\ufeffa/1',
    "b'c/2",
    '{n}$&/3',
  ]);
});

test('record ids come from the column that is named', async () => {
  const file = await writeSource('x.jsonl', '{"id":"a\\"b","n":1.50}\n{"id":7,"n":2}\n');
  const [prepared] = await prepareAll([file], '{n}', { recordIdColumn: 'id' });
  const text = await readFile(prepared?.recordsPath ?? '', 'utf8');
  const { before, after } = CONVERSE_BODY;
  expect(text).toBe(
    `{"recordId":"a\\"b","modelInput":${before}"1.50"${after}}\n{"recordId":"7","modelInput":${before}"2"${after}}\n`,
  );
});

test('files whose paths have characters of glob patterns are read as they are', async () => {
  const directory = await createDirectory();
  await mkdir(join(directory, 'a[1]*?'));
  const path = join(directory, 'a[1]*?', 'x[0].csv');
  await writeFile(path, 'a\n1\n');
  const file = { uri: 's3://data/x[0].csv' as const, bytes: 4, etag: 'e', path };
  const [prepared] = await prepareAll([file], '{a}');
  expect((await readRecords(prepared?.recordsPath ?? '')).map(promptOf)).toEqual(['1']);
});

test.each(['parquet', 'csv'])(
  'a part that straddles %s files has its rows in their order',
  async (ending) => {
    const rows = 50_000;
    const files = await Promise.all(
      [0, rows].map((first, index) =>
        ending === 'parquet'
          ? writeParquet(`${index}.parquet`, `SELECT i AS n FROM range(${first}, ${first + rows}) r(i)`)
          : writeSource(
              `${index}.csv`,
              `n\n${Array.from({ length: rows }, (_, row) => `${first + row}\n`).join('')}`,
            ),
      ),
    );
    const parts = await prepareAll(files, '{n}', { rowsPerPart: 35_000 });
    let row = 0;
    for (const { recordsPath } of parts) {
      for (const record of await readRecords(recordsPath)) {
        if (record.recordId !== recordIdOf(row) || promptOf(record) !== String(row)) {
          expect.fail(`Row ${row} is ${JSON.stringify(record)}.`);
        }
        row += 1;
      }
    }
    expect(row).toBe(2 * rows);
  },
);

/** 2,100 rows of 200 kB: a vector of DuckDB’s has 2,048 rows. */
async function writeLongRows(compression: string): Promise<LocalDatasetFile> {
  const scratchDirectory = await createDirectory();
  const path = join(scratchDirectory, 'long.parquet');
  await using db = await openDuckDb({ memoryMb: 4_000, threads: 1, scratchDirectory });
  await db.run(
    `COPY (SELECT i AS n, repeat('long ' || i || ' ', 20_000) AS "text" FROM range(2_100) r(i)) TO '${path}' (FORMAT PARQUET, COMPRESSION ${compression})`,
  );
  return describeFile('long.parquet', path);
}

test('long rows are prepared a few at a time, and those of a part that is halved too', async () => {
  const file = await writeLongRows('snappy');
  const prepared = await prepareAll([file], '{text}', { maxBytes: 300_000_000 });
  expect(prepared.map(({ part }) => part.rows)).toEqual([1_050, 1_050]);
  const ids = await query(
    `SELECT CAST(count(*) FILTER (__quarry_record_id = format('r{:010d}', n) AND n = file_row_number + 1050) AS INTEGER) AS good FROM read_parquet('${prepared[1]?.rowsPath}')`,
  );
  expect(ids).toEqual([{ good: 1_050 }]);
});

test('rows that are too large for the memory say what to do; as JSONL they are prepared', async () => {
  // Of a file that is so small nothing is known.
  await expect(prepareAll([await writeLongRows('zstd')], '{text}')).rejects.toThrow(
    'The dataset’s rows are too large for the memory that Prepare has for them. Of Parquet, 2,048 rows are handled at once: convert the dataset to JSONL or CSV, of which fewer are.',
  );
  const lines = Array.from({ length: 700 }, (_, n) => `{"n":${n},"text":"${`long ${n} `.repeat(40_000)}"}\n`);
  const prepared = await prepareAll([await writeSource('long.jsonl', lines.join(''))], '{n}');
  expect(prepared.map(({ part }) => part.rows)).toEqual([700]);
});
