/** Holds docs/data.md against the code: each line of its table about Parquet is tried here, as far as the results. */
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { everyColumn, withFooter } from '../../support/lying-parquet.ts';
import { collect, prepareAll, query, writeParquet, writeSource } from '../../support/rows.ts';
import { asInt96, bytes, guess, int96, stamp, write } from '../../support/written-parquet.ts';
import { ARROW_CASES, type Case, note } from './arrow-cases.ts';

const duckdb = (sql: string, type: string, text: string, options?: string): Case => ({
  file: { sql: `SELECT ${sql} AS v`, ...(options === undefined ? {} : { options }) },
  type,
  texts: [text],
});
const edited = (edit: Parameters<typeof everyColumn>[1], file = guess(['x', 'y'])) =>
  withFooter(file, (footer) => everyColumn(footer, edit));

const WHOLE = 1_700_000_000_123_456_000n;

const CASES: Record<string, Case[]> = {
  ...ARROW_CASES,
  'BOOLEAN, integers of 8 to 64 bits with and without sign, FLOAT, DOUBLE': [
    duckdb('true', 'BOOLEAN', 'true'),
    duckdb('(-128)::TINYINT', 'TINYINT', '-128'),
    duckdb('65535::USMALLINT', 'USMALLINT', '65535'),
    duckdb('4294967295::UINTEGER', 'UINTEGER', '4294967295'),
    duckdb('18446744073709551615::UBIGINT', 'UBIGINT', '18446744073709551615'),
    duckdb("'-0'::FLOAT", 'FLOAT', '-0.0'),
    duckdb("'nan'::DOUBLE", 'DOUBLE', 'nan'),
    { file: write([1n, null], { type: 'INT64' }), type: 'BIGINT', texts: ['1', null] },
  ],
  'texts, JSON, UUID, binary': [
    {
      file: write(['\ufeffé\0', null], { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
      type: 'VARCHAR',
      texts: ['\ufeffé\0', null],
    },
    {
      file: write([{ a: 1 }], { type: 'BYTE_ARRAY', converted_type: 'JSON' }),
      type: 'JSON',
      texts: ['{"a":1}'],
    },
    duckdb("'00112233-4455-6677-8899-aabbccddeeff'::UUID", 'UUID', '00112233-4455-6677-8899-aabbccddeeff'),
    { file: write([new Uint8Array([0, 255])], { type: 'BYTE_ARRAY' }), type: 'BLOB', texts: ['\\x00\\xFF'] },
  ],
  ENUM: [
    {
      file: write(['a', 'b'], { type: 'BYTE_ARRAY', converted_type: 'ENUM' }),
      type: 'VARCHAR',
      texts: ['a', 'b'],
      note: note('VARCHAR'),
    },
    // DuckDB writes its own as texts.
    duckdb("'b'::ENUM('a', 'b')", 'VARCHAR', 'b'),
  ],
  'binary of a fixed length': [
    {
      file: write([new Uint8Array([1, 2, 3])], { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 3 }),
      type: 'BLOB',
      texts: ['\\x01\\x02\\x03'],
      note: note('BLOB of any length'),
    },
  ],
  'WKB, as GeoParquet has it': [
    duckdb(
      "'\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xF0\\x3F\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x40'::BLOB",
      'BLOB',
      '\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xF0?\\x00\\x00\\x00\\x00\\x00\\x00\\x00@',
      `, KV_METADATA {geo: '{"version":"1.0.0","primary_column":"v","columns":{"v":{"encoding":"WKB","geometry_types":[]}}}'}`,
    ),
  ],
  'DECIMAL of up to 38 digits': [
    duckdb(
      "'-123456789012345678901234567890123456.70'::DECIMAL(38, 2)",
      'DECIMAL(38,2)',
      '-123456789012345678901234567890123456.70',
    ),
    {
      file: write([1.5], { type: 'INT64', converted_type: 'DECIMAL', precision: 10, scale: 2 }),
      type: 'DECIMAL(10,2)',
      texts: ['1.50'],
    },
  ],
  'DECIMAL of more digits': [
    {
      file: write([1.5], {
        type: 'FIXED_LEN_BYTE_ARRAY',
        type_length: 21,
        converted_type: 'DECIMAL',
        precision: 50,
        scale: 4,
      }),
      refused:
        's3://data/x.parquet: the column "v" is a DECIMAL(50,4), and at most 38 digits can be kept. Cast it to DECIMAL(38,4), or to text.',
    },
  ],
  'DATE, TIME and TIMESTAMP in microseconds, in UTC or without a zone': [
    duckdb("'2024-02-29'::DATE", 'DATE', '2024-02-29'),
    duckdb("'01:02:03.000001'::TIME", 'TIME', '01:02:03.000001'),
    duckdb("'01:02:03.000001+00'::TIMETZ", 'TIME WITH TIME ZONE', '01:02:03.000001+00'),
    duckdb("'2024-02-29 01:02:03.000001'::TIMESTAMP", 'TIMESTAMP', '2024-02-29 01:02:03.000001'),
    duckdb(
      "'2024-02-29 01:02:03.000001+00'::TIMESTAMPTZ",
      'TIMESTAMP WITH TIME ZONE',
      '2024-02-29 01:02:03.000001+00',
    ),
  ],
  'TIME and TIMESTAMP in milliseconds, also without a logical type': [
    {
      file: write([new Date(1001)], { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }),
      type: 'TIMESTAMP',
      texts: ['1970-01-01 00:00:01.001'],
      note: note('TIMESTAMP in microseconds'),
    },
    {
      file: write([1001n], stamp('MILLIS', true)),
      type: 'TIMESTAMP WITH TIME ZONE',
      texts: ['1970-01-01 00:00:01.001+00'],
      note: note('TIMESTAMP WITH TIME ZONE in microseconds'),
    },
    {
      file: write([1001], { type: 'INT32', converted_type: 'TIME_MILLIS' }),
      type: 'TIME',
      texts: ['00:00:01.001'],
      note: note('TIME in microseconds'),
    },
  ],
  'TIMESTAMP in nanoseconds without a zone': [
    {
      file: write([WHOLE + 789n], stamp('NANOS', false)),
      type: 'TIMESTAMP_NS',
      texts: ['2023-11-14 22:13:20.123456789'],
    },
  ],
  'TIMESTAMP in nanoseconds in UTC, and INT96, where all values are whole microseconds': [
    {
      file: write([WHOLE, null], stamp('NANOS', true)),
      type: 'TIMESTAMP WITH TIME ZONE',
      texts: ['2023-11-14 22:13:20.123456+00', null],
      note: note('TIMESTAMP WITH TIME ZONE in microseconds'),
    },
    {
      file: asInt96([int96(WHOLE)]),
      type: 'TIMESTAMP',
      texts: ['2023-11-14 22:13:20.123456'],
      note: note('TIMESTAMP in microseconds'),
    },
  ],
  'TIMESTAMP in nanoseconds in UTC, and INT96, of other values': [
    {
      file: write([WHOLE, WHOLE + 789n], stamp('NANOS', true)),
      refused:
        's3://data/x.parquet: the column "v" is a TIMESTAMP in nanoseconds, and only microseconds can be kept: row 1 has 1700000000123456789 since 1970. Cast it to TIMESTAMP in microseconds, or to text.',
    },
    { file: asInt96([int96(WHOLE), int96(WHOLE + 1n)]), refused: 'row 1 has 1700000000123456001 since 1970' },
  ],
  'TIME in nanoseconds': [
    {
      file: write([1001n], {
        type: 'INT64',
        logical_type: { type: 'TIME', unit: 'NANOS', isAdjustedToUTC: false },
      }),
      refused:
        'the column "v" is a TIME in nanoseconds, and only microseconds can be kept. Cast it to TIME in microseconds, or to text.',
    },
  ],
  INTERVAL: [duckdb("'1 month 2 days 3 seconds'::INTERVAL", 'INTERVAL', '1 month 2 days 00:00:03')],
  FLOAT16: [
    {
      file: guess([1.5, -0], { type: 'FLOAT16' }),
      type: 'FLOAT',
      texts: ['1.5', '-0.0'],
      note: note('FLOAT'),
    },
  ],
  'a column of nulls without a type': [
    {
      file: write([null, null], { type: 'INT32', logical_type: { type: 'NULL' } }),
      type: 'INTEGER',
      texts: [null, null],
      note: note('INTEGER, as it has nothing but nulls'),
    },
  ],
  'lists, structs and maps of all these': [
    duckdb('[1, NULL]', 'INTEGER[]', '[1, NULL]'),
    duckdb(
      "{'a': [DATE '2024-02-29'], 'b': NULL::DECIMAL(4, 2)}",
      'STRUCT(a DATE[], b DECIMAL(4,2))',
      "{'a': [2024-02-29], 'b': NULL}",
    ),
    duckdb("MAP {'a': 1}", 'MAP(VARCHAR, INTEGER)', '{a=1}'),
  ],
  "a struct whose fields' names differ by capitals (of ASCII) only": [
    {
      file: bytes(
        parquetWriteBuffer({
          columnData: [{ name: 'v', data: [{ a: 1, A: 2 }] }],
          schema: [
            { name: 'schema', num_children: 1 },
            { name: 'v', repetition_type: 'OPTIONAL', num_children: 2 },
            { name: 'a', repetition_type: 'OPTIONAL', type: 'INT32' },
            { name: 'A', repetition_type: 'OPTIONAL', type: 'INT32' },
          ],
        }),
      ),
      refused:
        's3://data/x.parquet: the column "v" has fields "a" and "A", which DuckDB takes for the same. Rename one.',
    },
  ],
  'VARIANT, BSON, GEOMETRY, GEOGRAPHY': [
    {
      file: guess([{ a: 1 }], { type: 'VARIANT' }),
      refused: 'the column "v" is a VARIANT, which Quarry does not read. Cast it to text (JSON)',
    },
    {
      file: write([new Uint8Array([5, 0, 0, 0, 0])], { type: 'BYTE_ARRAY', converted_type: 'BSON' }),
      refused: 'the column "v" is BSON',
    },
    {
      file: write([new Uint8Array([5, 0, 0, 0, 0])], { type: 'BYTE_ARRAY', logical_type: { type: 'BSON' } }),
      refused: 'the column "v" is BSON',
    },
    {
      file: guess([{ type: 'Point', coordinates: [1, 2] }], { type: 'GEOMETRY' }),
      refused: 'the column "v" is a GEOMETRY, which would not come back as it was. Cast it to WKB',
    },
    {
      file: guess([{ type: 'Point', coordinates: [1, 2] }], { type: 'GEOGRAPHY' }),
      refused: 'the column "v" is a GEOGRAPHY',
    },
  ],
  'statistics that are false': [
    {
      file: edited((column) => {
        column.statistics = { null_count: column.num_values };
      }),
      type: 'VARCHAR',
      texts: ['x', 'y'],
    },
  ],
  'a footer whose counts of rows contradict each other': [
    {
      file: withFooter(guess(['x']), (footer) => {
        footer.num_rows = 0n;
      }),
      refused:
        's3://data/x.parquet contradicts itself: its footer tells of 0 rows in the file, but 1 in its row groups.',
    },
  ],
  'a footer whose counts of rows agree, though not with the pages': [
    {
      file: withFooter(guess(['x', 'y']), (footer) => {
        footer.num_rows = 1n;
        for (const group of footer.row_groups) group.num_rows = 1n;
        everyColumn(footer, (column) => {
          column.num_values = 1n;
        });
      }),
      refused:
        's3://data/x.parquet contradicts itself: its footer tells of 1 values of the column v in row group 0, but its pages have 2.',
    },
  ],
  'pages packed with GZIP, BROTLI, SNAPPY, ZSTD or LZ4_RAW': [
    'gzip',
    'brotli',
    'snappy',
    'zstd',
    'lz4_raw',
  ].map((codec) => duckdb("'x'", 'VARCHAR', 'x', `, COMPRESSION ${codec}`)),
  'LZ4 as Hadoop has it, LZO': (['LZ4', 'LZO'] as const).map((codec) => ({
    file: edited((column) => {
      column.codec = codec;
    }),
    refused: `s3://data/x.parquet has the column "v" packed with ${codec === 'LZ4' ? 'LZ4 as Hadoop has it' : 'LZO'}, which Quarry does not read. Write it with zstd, snappy or LZ4_RAW.`,
  })),
  'BYTE_STREAM_SPLIT of FLOAT and DOUBLE': [
    {
      file: write([1.5, 2.5], { type: 'DOUBLE' }, { encoding: 'BYTE_STREAM_SPLIT' }),
      type: 'DOUBLE',
      texts: ['1.5', '2.5'],
    },
  ],
  'BYTE_STREAM_SPLIT of other types': [
    {
      file: write([1, 2], { type: 'INT32' }, { encoding: 'BYTE_STREAM_SPLIT' }),
      refused:
        's3://data/x.parquet has the column "v" (INT32) in the encoding BYTE_STREAM_SPLIT, which Quarry reads of FLOAT and DOUBLE only. Write it in another encoding.',
    },
  ],
  'encryption, columns in other files, a footer that cannot be read': [
    {
      file: Buffer.concat([guess(['x']).subarray(0, -4), Buffer.from('PARE')]),
      refused: 's3://data/x.parquet is encrypted. Write it without encryption.',
    },
    {
      file: withFooter(guess(['x']), ({ row_groups }) => {
        for (const { columns } of row_groups)
          for (const column of columns) column.encrypted_column_metadata = new Uint8Array([1]);
      }),
      refused: 's3://data/x.parquet has the column "v" encrypted. Write it without encryption.',
    },
    {
      file: withFooter(guess(['x']), ({ row_groups }) => {
        for (const { columns } of row_groups)
          for (const column of columns) column.file_path = 'other.parquet';
      }),
      refused: 's3://data/x.parquet has the pages of the column "v" in another file. Write it into one file.',
    },
    { file: gzipSync('x'), refused: 's3://data/x.parquet is not a Parquet file: it does not end like one.' },
    {
      file: guess(['x']).map((byte, index, { length }) =>
        index > length - 60 && index < length - 8 ? 0xff : byte,
      ),
      refused:
        's3://data/x.parquet is damaged: its footer cannot be read. Have it written or downloaded again.',
    },
    {
      file: guess(['x']).map((byte, index, { length }) => (index === length - 5 ? 0x7f : byte)),
      refused: 's3://data/x.parquet is damaged: its footer cannot be read.',
    },
  ],
};

/** The lines of the page's table: what, and what becomes of it. */
async function linesOfPage(): Promise<{ what: string; outcome: string }[]> {
  const page = await readFile('docs/data.md', 'utf8');
  const held =
    /<!-- begin held by test\/rows\/parquet\/.* -->\n([\s\S]*?)<!-- end held/.exec(page)?.[1] ?? '';
  return [...held.matchAll(/^\| (.+?) \| (kept|converted|refused) \|/gm)].map(
    ([, what = '', outcome = '']) => ({
      what,
      outcome,
    }),
  );
}

const lines = await linesOfPage();

test('the page and the cases have the same lines', () => {
  expect(lines.map(({ what }) => what).toSorted()).toEqual(Object.keys(CASES).toSorted());
});

const tried = lines.flatMap(({ what, outcome }) =>
  (CASES[what] ?? []).map((each) => ({ what, outcome, ...each })),
);

test.each(tried)('$what: $outcome', async ({ outcome, file, type, texts = [], note: noted, refused }) => {
  const source =
    file instanceof Uint8Array
      ? await writeSource('x.parquet', file)
      : await writeParquet('x.parquet', file.sql, file.options);
  expect(refused !== undefined).toBe(outcome === 'refused');
  if (refused !== undefined) {
    await expect(prepareAll([source], 'x')).rejects.toMatchObject({
      name: 'InvalidDatasetError',
      message: expect.stringContaining(refused),
    });
    return;
  }
  const dataset = await describeDataset([source]);
  expect(dataset.notes).toEqual(noted === undefined ? undefined : [noted]);
  const [prepared] = await prepareAll([source], 'x', { dataset });
  const { resultPath } = await collect(prepared?.rowsPath ?? '', []);
  expect(dataset.columns).toEqual([{ name: 'v', type }]);
  // Guarded, as the binding drops a U+FEFF that a text begins with.
  const found = await query(
    `SELECT typeof(v) AS type, '.' || CAST(v AS VARCHAR) AS text FROM '${resultPath}'`,
  );
  expect(found).toEqual(texts.map((text) => ({ type, text: text === null ? null : `.${text}` })));
});
