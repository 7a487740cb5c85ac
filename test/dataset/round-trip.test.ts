import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../src/core/record-id.ts';
import { describeDataset, samplePromptBytes } from '../../src/dataset/describe.ts';
import { countRows, readResults, recountLedger } from '../../src/dataset/read-results.ts';
import {
  collect,
  converseFrame,
  converseLine,
  prepareAll,
  promptOf,
  readRecords,
  writeParquet,
  writeSource,
} from './support.ts';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test.each([
  ['rows.csv', 'n,text\n1,hello\n2,"a ""quoted"", value"\n3,\n'],
  ['rows.jsonl', '{"n":1,"text":"hello"}\n{"n":2,"text":"a \\"quoted\\", value"}\n{"n":3,"text":""}\n'],
])('the rows of %s come back, each with its own answer', async (name, content) => {
  const file = await writeSource(name, content);
  const dataset = await describeDataset([file]);
  expect(dataset).toMatchObject({
    rows: 3,
    columns: [
      { name: 'n', type: 'VARCHAR' },
      { name: 'text', type: 'VARCHAR' },
    ],
  });
  expect(await samplePromptBytes([file], dataset, converseFrame('Say {text}!'))).toEqual({
    meanBytes: 37 / 3,
    maxBytes: 22,
    sampledRows: 3,
  });
  const [prepared] = await prepareAll([file], 'Say {text}!');
  if (prepared === undefined) throw new Error('no part');
  const { part, recordsPath, rowsPath } = prepared;
  expect(part).toMatchObject({ part_id: 'p0', first_row: 0, rows: 3, records: 3 });
  expect(part.bytes).toBe((await readFile(recordsPath)).length);
  const records = await readRecords(recordsPath);
  expect(records.map(promptOf)).toEqual(['Say hello!', 'Say a "quoted", value!', 'Say !']);
  const lines = records.map(({ recordId }) => converseLine(recordId, `re ${recordId}`)).reverse();
  const collected = await collect(rowsPath, [`${lines.join('\n')}\n`]);
  expect(collected).toMatchObject({
    rows: { total: 3, succeeded: 3, failed: 0, not_sent: 0 },
    tokens: { input: 9, output: 6 },
    reasons: [],
    stray_lines: 0,
  });
  const paths = [collected.resultPath];
  expect(await countRows(paths)).toBe(3);
  expect(await recountLedger(paths, 'response')).toEqual(collected.rows);
  const rows = await all(readResults(paths, {}));
  expect(rows.map(({ text, response, attempts }) => [text, response, attempts])).toEqual([
    ['hello', `re ${recordIdOf(0)}`, 1],
    ['a "quoted", value', `re ${recordIdOf(1)}`, 1],
    ['', `re ${recordIdOf(2)}`, 1],
  ]);
  expect(await all(readResults(paths, { head: 2 }))).toEqual(rows.slice(0, 2));
  expect(await all(readResults(paths, { failedOnly: true }))).toEqual([]);
});

test('parts of a Parquet dataset of several files have the rows of theirs, in order', async () => {
  const files = [
    await writeParquet('a.parquet', `SELECT i AS n, 'a' || i AS "text" FROM range(10) r(i)`),
    await writeParquet('b.parquet', `SELECT 'b' || i AS "text", i AS n FROM range(10) r(i)`),
  ];
  const parts = await prepareAll(files, '{text}', { rowsPerPart: 7 });
  expect(parts.map(({ part }) => part.rows)).toEqual([7, 7, 6]);
  const prompts = (await Promise.all(parts.map(({ recordsPath }) => readRecords(recordsPath)))).flat();
  expect(prompts.map((record) => [record.recordId, promptOf(record)])).toEqual(
    Array.from({ length: 20 }, (_, row) => [recordIdOf(row), `${row < 10 ? 'a' : 'b'}${row % 10}`]),
  );
});
