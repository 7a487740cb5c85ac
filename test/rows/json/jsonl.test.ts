import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Dataset } from '../../../src/core/plan/part.ts';
import { describeDataset, type LocalDatasetFile } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

/** The values of the columns `a` and `b`, as hex: no reader of results can change that. */
async function valuesOf(file: LocalDatasetFile, dataset: Dataset) {
  const [prepared] = await prepareAll([file], 'x', { dataset });
  const columns = dataset.columns.map(({ name }) => `hex(encode("${name}")) AS "${name}"`).join(', ');
  return query(`SELECT ${columns} FROM '${prepared?.rowsPath}'`);
}

function withoutPlain(dataset: Dataset): Dataset {
  return { ...dataset, files: dataset.files.map(({ plain: _, ...file }) => file) };
}

const isPlain = async (content: string, name = 'x.jsonl') =>
  (await describeDataset([await writeSource(name, content)])).files[0]?.plain === true;

test.each([
  [
    'texts, booleans, nulls and whole numbers',
    '{"a":"é","b":true}\n\n{"a":null,"b":0}\r\n{"b" : 12 }\n',
    true,
  ],
  ['a fraction', '{"a":1.5}\n', false],
  ['a whole number spelled as a fraction', '{"a":1.0}\n', false],
  ['a whole number spelled with an exponent', '{"a":1e2}\n', false],
  ['a negative number', '{"a":-1}\n', false],
  ['the negative zero', '{"a":-0}\n', false],
  ['a number that JavaScript has not exactly', '{"a":9007199254740993}\n', false],
  ['a list', '{"a":[]}\n', false],
  ['an object', '{"a":{"b":"c"}}\n', false],
  ['a number whose key is a value before it', '{"b":"a","a":1}\n', false],
  ['a number whose key is spelled with an escape', '{"\\u0061":1}\n', false],
  ['a number after many spaces', `{"a":${' '.repeat(40)}1}\n`, false],
  ['one such line among others', '{"a":"x"}\n{"a":1.0}\n{"a":"y"}\n', false],
])('a file with %s is plain: %s → %s', async (_, content, expected) => {
  expect(await isPlain(content)).toBe(expected);
});

test('a packed file is not plain', async () => {
  const { gzipSync } = await import('node:zlib');
  const file = await writeSource('x.jsonl.gz', gzipSync('{"a":"x"}\n'));
  expect((await describeDataset([file])).files[0]?.plain).toBeUndefined();
});

test('a plain file gives the same values read at once as line by line', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }).map((value) => value.toWellFormed()),
    fc.constantFrom('\0', '\ufeff', '\u2028', '\\', '"', '"a":1.0', '\\u0000', '😀', '', ' ', 'null', '1.50'),
  );
  const value = fc.oneof(text, fc.boolean(), fc.constant(null), fc.maxSafeNat());
  const row = fc.record({ a: value, b: value }, { requiredKeys: [] });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 20, maxLength: 100 }), async (rows) => {
      const content = [{ a: 'x', b: 'y' }, ...rows].map((object) => JSON.stringify(object)).join('\n');
      const file = await writeSource('x.jsonl', content);
      const dataset = await describeDataset([file]);
      expect(await valuesOf(file, dataset)).toEqual(await valuesOf(file, withoutPlain(dataset)));
    }),
    { numRuns: 8 },
  );
});

test.each([
  ['a key that is there twice', '{"a":"x","a":"y"}\n{"a":"z"}\n'],
  ['a lone surrogate', '{"a":"\\ud83d"}\n{"a":"z"}\n'],
  ['a byte order mark', '\ufeff{"a":"x"}\n{"a":"z"}\n'],
  ['a line of spaces that JSON does not know', '{"a":"x"}\n\u00a0\n{"a":"z"}\n'],
])('what DuckDB refuses is read line by line: %s', async (_, content) => {
  const file = await writeSource('x.jsonl', content);
  const dataset = await describeDataset([file]);
  expect(dataset.files[0]?.plain).toBe(true);
  const values = await valuesOf(file, dataset);
  expect(values).toEqual(await valuesOf(file, withoutPlain(dataset)));
  expect(values).toHaveLength(2);
});
