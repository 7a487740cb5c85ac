import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJsonList } from '../../../src/rows/json/json-list.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

/** The values of each row, by the column's place, as Prepare stages them. */
async function valuesOf(name: string, content: string | Uint8Array): Promise<unknown[][]> {
  const [prepared] = await prepareAll([await writeSource(name, content)], 'x');
  const rows = await query(
    `SELECT CAST(to_json(r) AS VARCHAR) AS json FROM (SELECT * EXCLUDE (__quarry_record_id, __quarry_error_code) FROM '${prepared?.rowsPath}') AS r`,
  );
  return rows.map(({ json }) => Object.entries(JSON.parse(String(json))));
}

test.each([
  ['lines', '{"b":"x","a":1.50}\n\n{"b":"y"}\n'],
  ['one list', '[{"b":"x","a":1.50},{"b":"y"}]'],
  ['a list over many lines', '\ufeff \n[\n  {\n    "b": "x",\n    "a": 1.50\n  },\n  {"b": "y"}\n]\n'],
])('.json of %s is read', async (_name, content) => {
  const expected = [
    [
      ['b', 'x'],
      ['a', '1.50'],
    ],
    [
      ['b', 'y'],
      ['a', null],
    ],
  ];
  expect(await valuesOf('x.json', content)).toEqual(expected);
  expect(await valuesOf('x.JSON.gz', gzipSync(content))).toEqual(expected);
});

test('values of a list keep the spelling that they have', async () => {
  const content = '[{"n": 12345678901234567890, "o": {"k" : [1.0, "],}"]}, "t": "[\\"{"}]';
  expect(await valuesOf('x.json', content)).toEqual([
    [
      ['n', '12345678901234567890'],
      ['o', '{"k" : [1.0, "],}"]}'],
      ['t', '["{'],
    ],
  ]);
});

test('any list is cut into its entries, however the bytes come', async () => {
  const file = { uri: 's3://data/x.json' as const, path: '' };
  const spaces = fc.constantFrom('', ' ', '\n', '\r\n\t');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 }),
      fc.boolean(),
      spaces,
      fc.integer({ min: 1, max: 7 }),
      async (objects, isPretty, space, size) => {
        const bytes = Buffer.from(`${space}${JSON.stringify(objects, null, isPretty ? 2 : 0)}${space}`);
        async function* chunks() {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
        }
        const entries = await Array.fromAsync(readJsonList(file, chunks()), ({ text }) => JSON.parse(text));
        expect(JSON.stringify(entries)).toBe(JSON.stringify(objects));
      },
    ),
    { numRuns: 200 },
  );
});

test.each([
  ['an entry that is no object', '[{"a":1},\n 2]', 'Line 2 of s3://data/x.json is not a JSON object'],
  ['an entry that is no JSON', '[{"a":1},\n\n{"a":}]', 'Line 3 of s3://data/x.json is not JSON'],
  ['a comma too many', '[{"a":1},\n]', 'Line 2 of s3://data/x.json lacks an object between two commas'],
  ['a comma first', '[,{"a":1}]', 'Line 1 of s3://data/x.json lacks an object between two commas'],
  ['no end', '[{"a":1}\n', 'Line 2 of s3://data/x.json ends before its list does'],
  [
    'something after its end',
    '[{"a":1}]\n{"a":1}',
    'Line 2 of s3://data/x.json goes on after the end of the list',
  ],
  [
    'one object over many lines',
    '{\n"a": 1\n}',
    'A .json file has one object a line, or is one list of objects.',
  ],
  ['nothing in its list', '[ ]', 'The dataset has no rows: s3://data/x.json'],
  [
    'an entry that is too long',
    `[{"a":1},\n{"a":"${'x'.repeat(16_000_000)}"}]`,
    'Line 2 of s3://data/x.json begins a record of more than 16000000 bytes',
  ],
])('.json with %s is refused', async (_name, content, message) => {
  await expect(describeDataset([await writeSource('x.json', content)])).rejects.toMatchObject({
    name: 'InvalidDatasetError',
    message: expect.stringContaining(message),
  });
});

test('JSONL stays lines: a line that is a list is refused', async () => {
  await expect(describeDataset([await writeSource('x.jsonl', '[{"a":1}]\n')])).rejects.toThrow(
    'Line 1 of s3://data/x.jsonl is not a JSON object, whose keys would be the columns. A JSONL file has one JSON object per line.',
  );
});
