/** Files of one dataset whose columns differ. */

import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { checkRecordIds } from '../../../src/rows/sources/record-id-check.ts';
import { ONLY_NULLS, widenedType } from '../../../src/rows/sources/widened-type.ts';
import {
  collect,
  prepareAll,
  promptOf,
  query,
  readRecords,
  writeParquet,
  writeSource,
} from '../../support/rows.ts';

test.each([
  ['INTEGER', 'BIGINT', 'BIGINT'],
  ['TINYINT', 'SMALLINT', 'SMALLINT'],
  ['UTINYINT', 'TINYINT', 'SMALLINT'],
  ['UINTEGER', 'INTEGER', 'BIGINT'],
  ['UINTEGER', 'USMALLINT', 'UINTEGER'],
  ['UBIGINT', 'BIGINT', undefined],
  ['FLOAT', 'DOUBLE', 'DOUBLE'],
  ['SMALLINT', 'FLOAT', 'FLOAT'],
  ['INTEGER', 'FLOAT', 'DOUBLE'],
  ['INTEGER', 'DOUBLE', 'DOUBLE'],
  ['BIGINT', 'DOUBLE', undefined],
  ['DECIMAL(4,2)', 'DECIMAL(5,1)', 'DECIMAL(6,2)'],
  ['DECIMAL(4,2)', 'INTEGER', 'DECIMAL(12,2)'],
  ['DECIMAL(38,2)', 'DECIMAL(38,3)', undefined],
  ['DECIMAL(4,2)', 'DOUBLE', undefined],
  ['VARCHAR', 'INTEGER', undefined],
  ['DATE', 'TIMESTAMP', undefined],
  [ONLY_NULLS, 'INTEGER[]', 'INTEGER[]'],
  [ONLY_NULLS, ONLY_NULLS, ONLY_NULLS],
  ['STRUCT(a INTEGER)', 'STRUCT(a BIGINT)', undefined],
])('%s and %s are %s', (one, other, wide) => {
  expect(widenedType(one, other)).toBe(wide);
  expect(widenedType(other, one)).toBe(wide);
});

test('a widened type has every value of both as it is', async () => {
  for (const [type, wide, values] of [
    ['UTINYINT', 'SMALLINT', ['0', '255']],
    ['INTEGER', 'DOUBLE', ['-2147483648', '2147483647']],
    ['SMALLINT', 'FLOAT', ['-32768', '32767']],
    ['INTEGER', 'DECIMAL(12,2)', ['-2147483648', '2147483647']],
  ] as const) {
    for (const value of values) {
      const [row] = await query(`SELECT CAST(CAST('${value}'::${type} AS ${wide}) AS BIGINT) AS v`);
      expect(row).toEqual({ v: value });
    }
  }
});

const nulls = () =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'n', data: [7n] },
        { name: 'x', data: [null] },
      ],
      schema: [
        { name: 'schema', num_children: 2 },
        { name: 'n', repetition_type: 'OPTIONAL', type: 'INT64' },
        { name: 'x', repetition_type: 'OPTIONAL', type: 'INT32', logical_type: { type: 'NULL' } },
      ],
    }),
  );

const drifting = async () => [
  await writeParquet('a.parquet', `SELECT 1 AS n, ['p', 'q'] AS x, 'é' AS "only ""here"`),
  await writeSource('b.parquet', nulls()),
  await writeParquet('c.parquet', `SELECT * FROM (SELECT ['r'] AS x, i::SMALLINT AS n FROM range(3) r(i))`),
];

test('Parquet files that differ are refused, with the option that takes them, and columns of nulls by that name', async () => {
  await expect(describeDataset(await drifting())).rejects.toThrow(
    `The dataset's files have different columns: n (INTEGER), x (VARCHAR[]), only "here (VARCHAR) only in s3://data/a.parquet, n (BIGINT), x (only nulls) only in s3://data/b.parquet. Give files of the same columns and types, or union_by_name (--union-by-name): it takes the wider type, and fills what a file lacks with nulls.`,
  );
});

test('Parquet is widened and filled by name, down to the results', async () => {
  const files = await drifting();
  const dataset = await describeDataset(files, { unionByName: true });
  expect(dataset).toMatchObject({
    rows: 5,
    columns: [
      { name: 'n', type: 'BIGINT' },
      { name: 'x', type: 'VARCHAR[]' },
      { name: 'only "here', type: 'VARCHAR' },
    ],
    notes: [
      's3://data/a.parquet: n (INTEGER) is read as BIGINT',
      's3://data/b.parquet: x (only nulls) is read as VARCHAR[]; only "here is not there, and is filled with nulls',
      's3://data/c.parquet: n (SMALLINT) is read as BIGINT; only "here is not there, and is filled with nulls',
    ],
  });
  const results: unknown[] = [];
  // A part of rows of several files, and parts of rows of one.
  for (const part of await prepareAll(files, '{n}', { dataset, rowsPerPart: 2 })) {
    expect((await readRecords(part.recordsPath)).map(promptOf)).toEqual(
      [['1', '7'], ['0', '1'], ['2']][Math.floor(part.part.first_row / 2)],
    );
    const { resultPath } = await collect(part.rowsPath, []);
    results.push(
      ...(await query(
        `SELECT n, CAST(x AS VARCHAR) AS x, "only ""here" AS o, typeof(n) AS t FROM '${resultPath}'`,
      )),
    );
  }
  expect(results).toEqual([
    { n: '1', x: '[p, q]', o: 'é', t: 'BIGINT' },
    { n: '7', x: null, o: null, t: 'BIGINT' },
    { n: '0', x: '[r]', o: null, t: 'BIGINT' },
    { n: '1', x: '[r]', o: null, t: 'BIGINT' },
    { n: '2', x: '[r]', o: null, t: 'BIGINT' },
  ]);
  await expect(checkRecordIds(files, dataset, { column: 'only "here', isNamed: true })).rejects.toThrow(
    'rows without a value (null): 4',
  );
});

test('types that have no common one are refused with both files', async () => {
  const files = [
    await writeParquet('a.parquet', `SELECT 1 AS n`),
    await writeParquet('b.parquet', `SELECT 'x' AS n`),
  ];
  await expect(describeDataset(files, { unionByName: true })).rejects.toThrow(
    'The column "n" is INTEGER in s3://data/a.parquet and VARCHAR in s3://data/b.parquet, and no type has the values of both as they are. Write it in one type.',
  );
});

test('CSV is filled with nulls where a file lacks a column, however it is read', async () => {
  const files = [
    await writeSource('a.csv', 'a,b\n1,2\n'),
    // A quote within a field, and two kinds of newlines: not plain.
    await writeSource('b.csv', 'c,a\r\nx"y,3\n'),
    await writeSource('c.csv', ''),
  ];
  await expect(describeDataset(files)).rejects.toThrow('or union_by_name (--union-by-name)');
  const dataset = await describeDataset(files, { unionByName: true });
  expect(dataset.notes).toEqual([
    's3://data/a.csv: c is not there, and is filled with nulls',
    's3://data/b.csv: b is not there, and is filled with nulls',
  ]);
  const [part] = await prepareAll(files, '{a}', { dataset });
  expect(await query(`SELECT a, b, c FROM '${part?.rowsPath}'`)).toEqual([
    { a: '1', b: '2', c: null },
    { a: '3', b: null, c: 'x"y' },
  ]);
});

test('JSONL needs no option: a key that is not there is null', async () => {
  const files = [await writeSource('a.jsonl', '{"a":1}\n'), await writeSource('b.jsonl', '{"b":2}\n')];
  expect(await describeDataset(files, { unionByName: true })).toEqual(await describeDataset(files));
});
