import { readFile, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../../src/core/record-id.ts';
import { recordLine } from '../../../src/models/record-frame.ts';
import { type LookRequest, lookAtRows } from '../../../src/rows/prepare/look-at-rows.ts';
import { describeDataset, type LocalDatasetFile } from '../../../src/rows/sources/describe-dataset.ts';
import { converseFrame, prepareAll, writeParquet, writeSource } from '../../support/rows.ts';

async function look(file: LocalDatasetFile, template: string, more: Partial<LookRequest> = {}) {
  const dataset = await describeDataset([file]);
  const request = { frame: converseFrame(template), recordIdColumn: undefined, rows: dataset.rows };
  return lookAtRows([file], dataset, { ...request, first: 3, sample: 5, isWhole: false, ...more });
}

test.each([
  ['a.csv', 'text,n\n"\u0001 \\u000B ""quoted"" \u2028",1\n"",2\n"Grüße, 世界",3\n"x\ny",4\n'],
  ['a.jsonl', '{"text":"\\u001f\\ufeff","n":1}\n{"text":null,"n":2}\n{"text":"{\\"a\\": 1}","n":3}\n'],
])(
  'of %s the records that are shown are, byte for byte, those that Prepare writes',
  async (name, content) => {
    const file = await writeSource(name, content);
    const template = 'Say {text}, or {n}';
    const seen = await look(file, template);
    const [prepared] = await prepareAll([file], template);
    const lines = (await readFile(prepared?.recordsPath ?? '', 'utf8')).trimEnd().split('\n');
    const shown = seen.first.map(({ record_id, strings }) =>
      recordLine(converseFrame(template), record_id, strings),
    );
    expect(shown.length).toBeGreaterThan(1);
    expect(shown).toEqual(lines.slice(0, 3));
    // CSV tells no null: what is empty there is an empty text.
    const isNull = name.endsWith('.jsonl');
    expect(seen.unsent).toEqual(isNull ? [{ columns: ['text'], rows: 1, first_rows: [1] }] : []);
  },
);

test('rows that are not sent are counted by the columns that are null in them, over all rows or the first of many', async () => {
  const file = await writeParquet(
    'many.parquet',
    `SELECT CASE WHEN i % 10 <> 3 THEN 'a' || i END AS a, CASE WHEN i % 100 <> 13 THEN i END AS b FROM range(30000) AS t(i)`,
  );
  const whole = await look(file, '{a} {b}', { isWhole: true });
  expect(whole).toMatchObject({
    lookedAt: 30_000,
    unsent: [
      { columns: ['a'], rows: 2_700, first_rows: [3, 23, 33] },
      { columns: ['a', 'b'], rows: 300, first_rows: [13, 113, 213] },
    ],
  });
  expect(whole.first.map(({ record_id }) => record_id)).toEqual([0, 1, 2].map(recordIdOf));
  const sampled = await look(file, '{a} {b}');
  expect(sampled.lookedAt).toBe(10_000);
  expect(sampled.unsent.map(({ rows }) => rows)).toEqual([900, 100]);
  const run = await look(file, '{a} {b}', { rows: 20, isWhole: true });
  expect(run).toMatchObject({ lookedAt: 20, unsent: [{ rows: 1 }, { rows: 1 }] });
});

test('CSV has no nulls to count: it is not read again for them, but where a file lacks a column', async () => {
  const rows = Array.from({ length: 10_001 }, (_, row) => `a${row},\n`).join('');
  const files = [await writeSource('1.csv', `a,b\n${rows}`), await writeSource('2.csv', 'a\nx\ny\n')];
  const dataset = await describeDataset(files, { unionByName: true });
  const asked = { recordIdColumn: undefined, rows: dataset.rows, first: 1, sample: 0, isWhole: true };
  const lookedAt = 10_003;
  const both = await lookAtRows(files, dataset, { ...asked, frame: converseFrame('{a} {b}') });
  expect(both).toMatchObject({
    lookedAt,
    unsent: [{ columns: ['b'], rows: 2, first_rows: [10_001, 10_002] }],
  });
  await rm(files[1]?.path ?? '');
  expect(await lookAtRows(files, dataset, { ...asked, frame: converseFrame('{a}') })).toMatchObject({
    lookedAt,
    unsent: [],
  });
});

test('the sample is of rows all over the dataset, the same each time, and its strings are not endless', async () => {
  const file = await writeParquet(
    'long.parquet',
    `SELECT repeat('x', 30000) || i AS a FROM range(500) AS t(i)`,
  );
  const [seen, again] = [await look(file, '{a}', { sample: 20 }), await look(file, '{a}', { sample: 20 })];
  expect(again).toEqual(seen);
  const rows = seen.sample.map(({ row }) => row);
  expect(new Set(rows).size).toBe(20);
  expect(Math.max(...rows) - Math.min(...rows)).toBeGreaterThan(250);
  expect(seen.sample.every(({ strings }) => strings[0]?.length === 20_000)).toBe(true);
  expect(seen.first[0]?.strings[0]).toBe(`${'x'.repeat(30_000)}0`);
});

test('a prompt without placeholders is shown for each row, under the dataset’s own ids', async () => {
  const file = await writeSource('ids.csv', 'id\nx\ny\n');
  const seen = await look(file, 'Hello', { recordIdColumn: 'id' });
  expect(seen.first).toEqual([
    { row: 0, record_id: 'x', strings: ['Hello'] },
    { row: 1, record_id: 'y', strings: ['Hello'] },
  ]);
  expect(seen.unsent).toEqual([]);
});
