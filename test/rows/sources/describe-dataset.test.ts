import { rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { formatOf } from '../../../src/rows/sources/dataset-format.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../../src/rows/sources/prompt-sample.ts';
import { checkRecordIds } from '../../../src/rows/sources/record-id-check.ts';
import { converseFrame, prepareAll, query, writeParquet, writeSource } from '../../support/rows.ts';

test.each([
  [['s3://b/a.csv'], 'csv'],
  [['s3://b/a.tsv', 's3://b/b.csv.gz', 's3://b/C.CSV.ZST'], 'csv'],
  [['s3://b/a.parquet', 's3://b/x.csv/b.parquet'], 'parquet'],
  [['s3://b/a.jsonl', 's3://b/b.ndjson.gz'], 'jsonl'],
] as const)('the format of %j is %s', (uris, format) => {
  expect(formatOf(uris)).toBe(format);
});

test.each([
  [[], 'The dataset has no files.'],
  [['s3://b/a.txt', 's3://b/b.csv'], 'The names of s3://b/a.txt do not say what they contain.'],
  [['s3://b/a.parquet.gz'], 'The names of s3://b/a.parquet.gz do not say'],
  [['s3://b/csv'], 'The names of s3://b/csv do not say'],
  [['s3://b/1', 's3://b/2', 's3://b/3', 's3://b/4', 's3://b/5'], 's3://b/1, s3://b/2, s3://b/3 and 2 more'],
  [['s3://b/a.csv', 's3://b/b.jsonl'], 's3://b/a.csv is csv, s3://b/b.jsonl is jsonl'],
] as const)('files %j are refused', (uris, message) => {
  expect(() => formatOf(uris)).toThrow(message);
});

test('Parquet columns have their types, and files their rows', async () => {
  const a = await writeParquet('a.parquet', `SELECT 1 AS n, 'x' AS "text", CAST(1.5 AS DECIMAL(4, 2)) AS d`);
  const b = await writeParquet(
    'b.parquet',
    `SELECT CAST(2 AS DECIMAL(4, 2)) AS d, 2 AS n, 'y' AS "text" FROM range(3)`,
  );
  expect(await describeDataset([a, b])).toEqual({
    format: 'parquet',
    rows: 4,
    columns: [
      { name: 'n', type: 'INTEGER' },
      { name: 'text', type: 'VARCHAR' },
      { name: 'd', type: 'DECIMAL(4,2)' },
    ],
    files: [a, b].map(({ uri, bytes, etag }, index) => ({ uri, bytes, etag, rows: index === 0 ? 1 : 3 })),
  });
});

test('files of different columns are refused, with the files and the columns', async () => {
  const parquet = [
    await writeParquet('a.parquet', 'SELECT 1 AS n, 2 AS m'),
    await writeParquet('b.parquet', 'SELECT 1::BIGINT AS n, 2 AS m'),
  ];
  await expect(describeDataset(parquet)).rejects.toThrow(
    'n (INTEGER) only in s3://data/a.parquet, n (BIGINT) only in s3://data/b.parquet',
  );
  const csv = [
    await writeSource('a.csv', 'x,y\n1,2\n'),
    await writeSource('b.csv', 'y,x\n1,2\n'),
    await writeSource('c.csv', 'x\n1\n'),
  ];
  await expect(describeDataset(csv)).rejects.toThrow(
    'y (VARCHAR) only in s3://data/a.csv, nothing only in s3://data/c.csv',
  );
});

test.each(['parquet', 'csv'])(
  'of two thousand %s files, the one that drifted is named, and the first',
  async (format) => {
    const isParquet = format === 'parquet';
    const usual = await (isParquet
      ? writeParquet('a.parquet', 'SELECT 1 AS n')
      : writeSource('a.csv', 'n\n1\n'));
    const drifted = await (isParquet
      ? writeParquet('b.parquet', "SELECT 'x' AS n")
      : writeSource('b.csv', 'm\n1\n'));
    const files = Array.from({ length: 2000 }, (_, index) => ({
      ...usual,
      uri: `s3://data/${String(index).padStart(4, '0')}.${format}` as const,
    }));
    const mixed = files.map((file, index) => (index === 1776 ? { ...file, path: drifted.path } : file));
    await expect(describeDataset(mixed)).rejects.toThrow(
      /different columns: n \(\w+\) only in s3:\/\/data\/0000\.\w+, [nm] \(\w+\) only in s3:\/\/data\/1776\.\w+\. Give files of the same/,
    );
  },
  120_000,
);

test('what is no Parquet file is refused by name', async () => {
  await expect(describeDataset([await writeSource('x.parquet', 'PAR1 not really')])).rejects.toThrow(
    's3://data/x.parquet is not a Parquet file: it does not end like one. Was its upload or download broken off?',
  );
  const twins = parquetWriteBuffer({
    columnData: [
      { name: 'a', data: ['x'] },
      { name: 'a', data: ['y'] },
    ],
  });
  await expect(describeDataset([await writeSource('twins.parquet', new Uint8Array(twins))])).rejects.toThrow(
    's3://data/twins.parquet has two columns named "a". Rename one.',
  );
  await expect(
    describeDataset([await writeParquet('r.parquet', 'SELECT 1 AS file_row_number')]),
  ).rejects.toThrow('a column "file_row_number", a name that Quarry needs itself');
  await expect(describeDataset([await writeParquet('e.parquet', 'SELECT 1 AS a LIMIT 0')])).rejects.toThrow(
    'The dataset has no rows',
  );
});

test('JSONL has the union of the keys as columns; values keep their spelling', async () => {
  const lines = [
    '{"a":"x\\ud83d","n":12345678901234567890,"d":1.50}',
    '',
    '{"a":null,"o":{"k" : [1.0, "}"]},"b":true,"n":-0}',
    '  {"e":1e5,"q":"a\\"b","l":[],"a":"\\ufeff\\u2028"}\r',
    '{"__proto__":"p","a":"1","a":"2"}',
  ];
  const file = await writeSource('x.jsonl', `\ufeff${lines.join('\n')}`);
  const { columns, rows } = await describeDataset([file]);
  expect(rows).toBe(4);
  expect(columns.map(({ name }) => name)).toEqual(['a', 'n', 'd', 'o', 'b', 'e', 'q', 'l', '__proto__']);
  const [prepared] = await prepareAll([file], 'x');
  const found = await query(
    `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * EXCLUDE (__quarry_record_id, __quarry_error_code) FROM '${prepared?.rowsPath}') AS r`,
  );
  const blank = { a: null, n: null, d: null, o: null, b: null, e: null, q: null, l: null };
  expect(found.map(({ json }) => Object.entries(JSON.parse(String(json))))).toEqual(
    [
      { ...blank, a: 'x\ufffd', n: '12345678901234567890', d: '1.50' },
      { ...blank, o: '{"k" : [1.0, "}"]}', b: 'true', n: '-0' },
      { ...blank, e: '1e5', q: 'a"b', l: '[]', a: '\ufeff\u2028' },
      { ...blank, a: '2' },
    ].map((row, index) => [...Object.entries(row), ['__proto__', index === 3 ? 'p' : null]]),
  );
});

test.each([
  ['not JSON', '{"a":1}\n{"a":}\n', 'Line 2 of s3://data/x.jsonl is not JSON'],
  ['a list', '[1]\n', 'Line 1 of s3://data/x.jsonl is not a JSON object'],
  ['null', '\nnull\n', 'Line 2 of s3://data/x.jsonl is not a JSON object'],
  ['a truncated line', '{"a":1}\n{"a', 'Line 2 of s3://data/x.jsonl is not JSON'],
  ['an empty key', '{"":1}\n', 'a column without a name'],
  ['NUL in a key', '{"a\\u0000":1}\n', 'a name with a NUL in it'],
  ['half a character in a key', '{"\\ud83d":1}\n', 'a name with half a character in it'],
  ['nothing', '\n\n', 'The dataset has no rows'],
  ['Latin-1', Buffer.from('{"a":"\xe9"}\n', 'latin1'), 'Line 1 of s3://data/x.jsonl is not UTF-8'],
  [
    'a long line',
    `{"a":1}\n{"a":"${'x'.repeat(16_000_000)}"}\n`,
    'Line 2 of s3://data/x.jsonl begins a record of more than 16000000 bytes',
  ],
  [
    'a long last line',
    `{"a":"${'x'.repeat(16_000_000)}"}`,
    'Line 1 of s3://data/x.jsonl begins a record of more than 16000000 bytes',
  ],
])('JSONL with %s is refused', async (_name, content, message) => {
  await expect(describeDataset([await writeSource('x.jsonl', content)])).rejects.toThrow(message);
});

test('JSONL lines that lie across chunks are read whole', async () => {
  const lines = Array.from({ length: 300 }, (_, n) =>
    JSON.stringify({ n, text: `é"\\${'漢'.repeat(n * 10)}`.repeat(3) }),
  );
  for (const content of [lines.join('\n'), gzipSync(`${lines.join('\n')}\n`)]) {
    const file = await writeSource(typeof content === 'string' ? 'x.jsonl' : 'x.jsonl.gz', content);
    const [prepared] = await prepareAll([file], '{text}');
    const found = await query(`SELECT n, "text" FROM '${prepared?.rowsPath}'`);
    expect(found).toEqual(lines.map((line) => ({ ...JSON.parse(line), n: String(JSON.parse(line).n) })));
  }
});

test('record ids that are missing, empty, long or repeated are refused, with counts and examples', async () => {
  const good = await writeSource('good.csv', 'id\na\nb\n');
  await expect(
    checkRecordIds([good], await describeDataset([good]), { column: 'id', isNamed: true }),
  ).resolves.toBeUndefined();
  await expect(
    checkRecordIds([good], await describeDataset([good]), { column: 'x', isNamed: true }),
  ).rejects.toThrow('record_id_column is "x", but the dataset has the columns id.');
  const lines = ['a', 'b', 'a', 'b', 'a', 'c', '', 'x'.repeat(257)].map((id) => JSON.stringify({ id }));
  const bad = await writeSource(
    'bad.jsonl',
    [...lines, '{}', '{"id":null}', '{"id":7}', '{"id":"7"}'].join('\n'),
  );
  const dataset = await describeDataset([bad]);
  const check = checkRecordIds([bad], dataset, { column: 'id', isNamed: true });
  await expect(check).rejects.toHaveProperty('name', 'InvalidRunInputError');
  await expect(check).rejects.toThrow(
    'Column "id" cannot give the record ids: rows without a value (null): 2; rows with an empty value: 1; rows with more than 256 characters: 1; values that several rows have: 3, such as "a" (3 rows), "7" (2 rows), "b" (2 rows).',
  );
  const files = [
    await writeParquet('1.parquet', 'SELECT i AS id FROM range(5) r(i)'),
    await writeParquet('2.parquet', 'SELECT i + 4 AS id FROM range(5) r(i)'),
  ];
  await expect(
    checkRecordIds(files, await describeDataset(files), { column: 'id', isNamed: true }),
  ).rejects.toThrow('values that several rows have: 1, such as "4" (2 rows)');
});

test('prompts are sampled over all of a large Parquet dataset, in bytes', async () => {
  const files = [
    await writeParquet('1.parquet', `SELECT 'é' AS "text" FROM range(20000)`),
    await writeParquet(
      '2.parquet',
      `SELECT CASE WHEN i % 2 = 0 THEN 'abcd' END AS "text" FROM range(20000) r(i)`,
    ),
  ];
  const dataset = await describeDataset(files);
  const { meanBytes, maxBytes, sampledRows } = await samplePromptBytes(
    files,
    dataset,
    converseFrame('>{text}'),
  );
  expect(sampledRows).toBe(7_500);
  expect(meanBytes).toBeCloseTo((5_000 * 3 + 2_500 * 5) / 7_500);
  expect(maxBytes).toBe(5);
});

test('of text files the first rows are sampled, and a constant prompt is measured too', async () => {
  const file = await writeSource('x.csv', `a\n${'1\n'.repeat(12_000)}`);
  const dataset = await describeDataset([file]);
  expect(await samplePromptBytes([file], dataset, converseFrame('{{}}'))).toEqual({
    meanBytes: 2,
    maxBytes: 2,
    sampledRows: 10_000,
  });
  const nulls = await writeSource('x.jsonl', '{"a":null}\n');
  expect(await samplePromptBytes([nulls], await describeDataset([nulls]), converseFrame('{a}'))).toEqual({
    meanBytes: 0,
    maxBytes: 0,
    sampledRows: 0,
  });
});

test('a file that vanished is an error of its own', async () => {
  const file = await writeSource('x.csv', 'a\n1\n');
  await rm(file.path);
  await expect(describeDataset([file])).rejects.toThrow('ENOENT');
  await writeFile(file.path, '');
  await expect(describeDataset([file])).rejects.toThrow('is empty');
});
