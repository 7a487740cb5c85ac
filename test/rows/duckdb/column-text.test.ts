import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { columnText } from '../../../src/rows/duckdb/column-text.ts';
import { type DuckDb, openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { createScratch } from '../../../src/rows/duckdb/scratch.ts';

let db: DuckDb;
let scratch: Awaited<ReturnType<typeof createScratch>>;
beforeAll(async () => {
  scratch = await createScratch();
  db = await openDuckDb({ memoryMb: 512, threads: 1, scratchDirectory: scratch.path });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

async function textsOf(values: string[], type?: string): Promise<unknown[]> {
  const select = `SELECT unnest([${values.join(', ')}]) AS value`;
  const typed = type === undefined ? select : `SELECT CAST(value AS ${type}) AS value FROM (${select})`;
  const described = await db.row(`DESCRIBE ${typed}`);
  const column = { name: 'value', type: String(described.column_type) };
  return (await db.rows(`SELECT ${columnText(column)} AS text FROM (${typed})`)).map(({ text }) => text);
}

test.each([
  ['VARCHAR as it is', `' 007 '`, undefined, ' 007 '],
  ['BIGINT exactly', '9223372036854775807', 'BIGINT', '9223372036854775807'],
  [
    'HUGEINT exactly',
    '170141183460469231731687303715884105727',
    'HUGEINT',
    '170141183460469231731687303715884105727',
  ],
  ['UTINYINT', '255', 'UTINYINT', '255'],
  ['BOOLEAN', 'true', undefined, 'true'],
  ['DECIMAL with its zeros', '1.50', 'DECIMAL(9, 2)', '1.50'],
  ['DATE as ISO 8601', `DATE '2024-02-29'`, undefined, '2024-02-29'],
  ['TIME', `TIME '01:02:03.5'`, undefined, '01:02:03.5'],
  ['TIMESTAMP as ISO 8601', `TIMESTAMP '2024-02-29 01:02:03.456'`, undefined, '2024-02-29T01:02:03.456'],
  [
    'TIMESTAMP_NS',
    `TIMESTAMP_NS '2024-02-29 01:02:03.123456789'`,
    undefined,
    '2024-02-29T01:02:03.123456789',
  ],
  ['TIMESTAMPTZ in UTC', `TIMESTAMPTZ '2024-02-29 01:02:03+02'`, undefined, '2024-02-28T23:02:03Z'],
  ['UUID', `UUID '00000000-0000-0000-0000-00000000000a'`, undefined, '00000000-0000-0000-0000-00000000000a'],
  ['BLOB as Base64', `'\\x00\\xFF'::BLOB`, undefined, 'AP8='],
  ['list as JSON', `['a"b', NULL]`, undefined, '["a\\"b",null]'],
  ['struct as JSON', `{'a': 1, 'b': [1.5::DOUBLE]}`, undefined, '{"a":1,"b":[1.5]}'],
  ['map as JSON', `MAP {'k': 1}`, undefined, '{"k":1}'],
  [
    'FLOATs in a list with their own digits',
    '[0.1, 1e20, NULL]',
    'FLOAT[]',
    '[0.1,100000000000000000000,null]',
  ],
  ['NaN in a list, which JSON has not', `['nan', '-inf', '1.0']`, 'DOUBLE[]', '["NaN","-Infinity",1]'],
  ['BLOBs in a list', `['\\x00\\xFF'::BLOB, NULL]`, undefined, '["AP8=",null]'],
  ['an empty list of FLOATs', '[]', 'FLOAT[]', '[]'],
  ['an array of FLOATs', '[0.1, 0.2]', 'FLOAT[2]', '[0.1,0.2]'],
  ['NULL in a list of FLOATs', 'NULL', 'FLOAT[]', null],
  [
    'what is nested deeply',
    `{'a "q", b': [{'x': 0.1::FLOAT}, NULL], 'm': MAP {'k,"': ['a'::BLOB], '2': NULL}, 's': NULL::STRUCT(f FLOAT), 't': 'x"y', 'd': DATE '2024-02-29'}`,
    undefined,
    '{"a \\"q\\", b":[{"x":0.1},null],"m":{"k,\\"":["YQ=="],"2":null},"s":null,"t":"x\\"y","d":"2024-02-29"}',
  ],
  ['NULL', 'NULL', 'DOUBLE', null],
  ['NULL in a list column', 'NULL', 'INTEGER[]', null],
  ['1e20', '1e20', 'DOUBLE', '100000000000000000000'],
  ['1e21', '1e21', 'DOUBLE', '1e+21'],
  ['NaN', `'nan'`, 'DOUBLE', 'NaN'],
  ['-Infinity', `'-inf'`, 'DOUBLE', '-Infinity'],
  ['-0', '-0.0', 'DOUBLE', '0'],
  ['FLOAT with the fewest digits', '0.1', 'FLOAT', '0.1'],
  ['large FLOAT', '1e20', 'FLOAT', '100000000000000000000'],
])('text of a value: %s', async (_name, value, type, expected) => {
  expect(await textsOf([value], type)).toEqual([expected]);
});

test('every DOUBLE is printed as JavaScript prints it', async () => {
  const doubles = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc
      .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: -30, max: 30 }))
      .map(([d, e]) => Number(`${d}e${e}`)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(doubles, { minLength: 50, maxLength: 50 }), async (values) => {
      expect(await textsOf(values.map((value) => `CAST('${value}' AS DOUBLE)`))).toEqual(values.map(String));
    }),
    { numRuns: 30 },
  );
});

test('lists of FLOATs and texts are sound JSON, each number with the digits that it has alone', async () => {
  const floats = fc.array(fc.oneof(fc.float(), fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 0.1)), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(floats, { minLength: 20, maxLength: 20 }), async (lists) => {
      const sql = (values: number[]) =>
        `[${values.map((value) => `CAST('${Object.is(value, -0) ? '-0' : value}' AS FLOAT)`).join(', ')}]`;
      const texts = await textsOf(lists.map(sql), 'FLOAT[]');
      const alone = await Promise.all(
        lists.map((list) =>
          list.length === 0
            ? []
            : textsOf(
                list.map((value) => `'${value}'`),
                'FLOAT',
              ),
        ),
      );
      expect(texts.map((text) => JSON.parse(String(text)).map(String))).toEqual(alone);
      for (const text of texts) expect(String(text)).not.toMatch(/[^"]NaN|[^"-]Infinity/);
    }),
    { numRuns: 10 },
  );
});
