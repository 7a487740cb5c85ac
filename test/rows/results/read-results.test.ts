import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { countRows, readResults, readResultTexts } from '../../../src/rows/results/read-results.ts';
import { recountResults } from '../../../src/rows/results/recount-results.ts';
import { writeParquet } from '../../support/rows.ts';

async function all(paths: string[], options: Parameters<typeof readResults>[1] = {}) {
  const rows: Record<string, unknown>[] = [];
  for await (const row of readResults(paths, options)) rows.push(row);
  return rows;
}

test('values are safe for JSON and lose nothing', async () => {
  const { path } = await writeParquet(
    'v.parquet',
    `SELECT '\ufeffmark' AS "text", 9007199254740993 AS big, 7 AS small, 1.50 AS decimal, DATE '2024-02-29' AS day,
      TIMESTAMP '2024-02-29 01:02:03' AS time, 'nan'::DOUBLE AS nan, 0.1::FLOAT AS float, 1e300 AS double, '\\xFF'::BLOB AS blob,
      [1.5::FLOAT, 2] AS list, {'a': 9007199254740993, 'b "NaN"': 'NaN', 'c': 'nan'::DOUBLE} AS struct, true AS yes, NULL AS nothing,
      ['inf'::DOUBLE, 1] AS "odd ""list"`,
  );
  const [row] = await all([path]);
  expect(row).toEqual({
    text: '\ufeffmark',
    big: '9007199254740993',
    small: 7,
    decimal: '1.50',
    day: '2024-02-29',
    time: '2024-02-29T01:02:03',
    nan: null,
    float: 0.1,
    double: 1e300,
    blob: '/w==',
    list: [1.5, 2],
    struct: { a: '9007199254740993', 'b "NaN"': 'NaN', c: null },
    yes: true,
    nothing: null,
    'odd "list': [null, 1],
  });
  expect(JSON.parse(JSON.stringify(row))).toEqual(row);
});

test('within lists, structs and maps FLOATs have the digits that they have alone, and BLOBs are Base64', async () => {
  const { path } = await writeParquet(
    'nested.parquet',
    `SELECT [0.1::FLOAT, 'nan'::FLOAT, NULL, 16777216::FLOAT] AS list, {'FLOAT': 0.1::FLOAT, 'd': 0.1::DOUBLE, 'n': [{'x': 0.3::FLOAT}]} AS struct,
      MAP {'a': 0.7::FLOAT} AS map, ['\\x00\\xFF'::BLOB, NULL] AS blobs, {'b': '\\x01'::BLOB, 'f': [0.1::FLOAT, 'inf'::FLOAT]} AS both,
      NULL::STRUCT(b BLOB) AS none, [0.5::FLOAT]::FLOAT[1] AS fixed`,
  );
  const [row] = await all([path]);
  expect(row).toEqual({
    list: [0.1, null, null, 16777216],
    struct: { FLOAT: 0.1, d: 0.1, n: [{ x: 0.3 }] },
    map: { a: 0.7 },
    blobs: ['AP8=', null],
    both: { b: 'AQ==', f: [0.1, null] },
    none: null,
    fixed: [0.5],
  });
});

test('as texts, rows keep a column’s type: integers are numbers with all their digits, whichever row they are in', async () => {
  const { path } = await writeParquet(
    'texts.parquet',
    `SELECT * FROM (VALUES
      (1, 1.0::DOUBLE, [1::BIGINT], {'n': 2::BIGINT}, 'NaN "Infinity"'),
      (9007199254740993, 'nan'::DOUBLE, [9007199254740993, NULL], {'n': 9007199254740993}, NULL),
      (-9223372036854775808, 1e300, [], NULL, '-Infinity')) t(big, double, list, struct, text)`,
  );
  expect(await Array.fromAsync(readResultTexts([path], {}))).toEqual([
    '{"big":1,"double":1.0,"list":[1],"struct":{"n":2},"text":"NaN \\"Infinity\\""}',
    '{"big":9007199254740993,"double":null,"list":[9007199254740993,null],"struct":{"n":9007199254740993},"text":null}',
    '{"big":-9223372036854775808,"double":1e300,"list":[],"struct":null,"text":"-Infinity"}',
  ]);
});

test('rows come in order, over pages and files, up to head', async () => {
  const select = (from: number) =>
    `SELECT ${from} + i AS n, CASE WHEN i % 3 = 0 THEN 'no' END AS error_code FROM range(2500) r(i)`;
  const a = await writeParquet('a.parquet', select(0));
  const b = await writeParquet('b.parquet', select(2500));
  const paths = [a.path, b.path];
  expect(await countRows(paths)).toBe(5000);
  expect((await all(paths)).map(({ n }) => n)).toEqual(Array.from({ length: 5000 }, (_, n) => n));
  expect((await all(paths, { head: 2501 })).at(-1)).toMatchObject({ n: 2500 });
  expect(await all(paths, { head: 2501 })).toHaveLength(2501);
  expect(await all(paths, { head: 0 })).toEqual([]);
  const failed = await all(paths, { head: 1200, failedOnly: true });
  expect(failed).toHaveLength(1200);
  expect(failed.every(({ n }) => (Number(n) % 2500) % 3 === 0)).toBe(true);
});

test('a reader that stops early leaves nothing open', async () => {
  const { path } = await writeParquet('a.parquet', 'SELECT i AS n FROM range(5000) r(i)');
  for await (const { n } of readResults([path], {})) {
    if (n === 3) break;
  }
  await rm(path);
  await expect(all([path])).rejects.toThrow('No files found');
});

test('no files have no rows', async () => {
  expect(await countRows([])).toBe(0);
  expect((await recountResults([], 'response')).rows).toEqual({
    total: 0,
    succeeded: 0,
    failed: 0,
    not_sent: 0,
  });
  expect(await all([])).toEqual([]);
});

test('the ledger is counted from answers and attempts, not from codes', async () => {
  const { path } = await writeParquet(
    'a.parquet',
    `SELECT * FROM (VALUES ('x', NULL, 1), ('', NULL, 1), (NULL, NULL, 2), (NULL, '400', 1), (NULL, 'N', 0)) AS t("out""put", error_code, attempts)`,
  );
  expect((await recountResults([path, path], 'out"put')).rows).toEqual({
    total: 10,
    succeeded: 4,
    failed: 4,
    not_sent: 2,
  });
});
