/** JSONL whose keys are what readers stumble over: every key is a column under its own name, or the file is refused for it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { givenName } from '../../../src/core/plan/names-apart.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { prepareAll, query, writeSource } from '../../support/rows.ts';

type Entry = [key: string, value: string | null];

/** A file of these rows; a key may be in one twice. */
function fileOf(rows: readonly (readonly Entry[])[]) {
  const lines = rows.map(
    (row) => `{${row.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}\n`,
  );
  return writeSource('x.jsonl', lines.join(''));
}

const hex = (text: string) => Buffer.from(text).toString('hex').toUpperCase();

/** Names and values as Prepare stages them, as hex: no reader of results can change that. */
async function stagedOf(rows: readonly (readonly Entry[])[]) {
  const file = await fileOf(rows);
  const dataset = await describeDataset([file]);
  const [prepared] = await prepareAll([file], 'x', { dataset });
  const path = prepared?.rowsPath ?? '';
  const schema = await query(
    `SELECT hex(encode(name)) AS name FROM parquet_schema('${path}') WHERE num_children IS NULL`,
  );
  const places = schema.map((_, place) => `c${place}`);
  const values = await query(
    `SELECT ${places.map((name) => `hex(encode(${name})) AS ${name}`).join(', ')} FROM '${path}' AS t(${places.join(', ')})`,
  );
  const { length } = dataset.columns;
  return {
    names: schema
      .slice(0, length)
      .map(({ name }) => hex(givenName(Buffer.from(String(name), 'hex').toString()))),
    rows: values.map((row) => places.slice(0, length).map((name) => row[name])),
  };
}

const key = fc.oneof(
  fc.constantFrom(
    ...['0', '10', '2', '-1', '1e3', '4294967295', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
    ...[
      'length',
      'then',
      'x'.repeat(10_000),
      '😀'.repeat(500),
      '\ufeffa',
      '\ufeff',
      '\ufeffA',
      '"',
      '""',
      "'; DROP --",
    ],
    ...[
      '\n',
      '\\',
      '\\u0061',
      '{a}',
      '{A}',
      '{{',
      ' a',
      'a ',
      ' ',
      '.',
      'a.b',
      '$',
      '$.a',
      '[0]',
      '*',
      'COLUMNS(*)',
    ],
    ...[
      'rowid',
      'place',
      'row',
      'r',
      'json',
      'filename',
      'record_number',
      'select',
      'é',
      'e\u0301',
      '\u2028',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => text.isWellFormed()),
);
const value = fc.option(fc.constantFrom('', 'v', '1', 'null', '\ufeff', '{"a":1}', '"', '\0'), { nil: null });

test('every key is a column under its own name, with its own values', async () => {
  let kept = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 6 }), {
        minLength: 1,
        maxLength: 5,
      }),
      async (rows) => {
        const names = [...new Set(rows.flatMap((row) => row.map(([name]) => name)))];
        const mayBeKept = names.every((name) => name !== '' && !name.includes('\0'));
        const staged = await stagedOf(rows).catch((error: Error) => error);
        if (staged instanceof Error) {
          expect(staged.name, staged.message).toBe('InvalidDatasetError');
          expect(mayBeKept, staged.message).toBe(false);
          return;
        }
        kept += 1;
        expect(mayBeKept).toBe(true);
        expect(staged).toEqual({
          names: names.map(hex),
          // Of a key that is there twice the last counts.
          rows: rows.map((row) =>
            names.map((name) => {
              const [, last = null] = row.findLast(([each]) => each === name) ?? [];
              return last === null ? null : hex(last);
            }),
          ),
        });
      },
    ),
    { numRuns: 60, seed: 13 },
  );
  expect(kept).toBeGreaterThan(30);
});

test.each([
  ['an empty key', [['', 'x']], 's3://data/x.jsonl has a column without a name'],
  ['a NUL in a key', [['a\0', 'x']], 'a name with a NUL in it'],
  ['a key of our own', [['__QUARRY_x', 'x']], 'a name that Quarry needs itself'],
] as [string, Entry[], string][])('%s: refused by name', async (_, row, message) => {
  await expect(stagedOf([row])).rejects.toThrow(message);
});
