import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { recordIdOf } from '../../src/core/record-id.ts';
import { countRows, readResults } from '../../src/rows/results/read-results.ts';
import { recountResults } from '../../src/rows/results/recount-results.ts';
import { describeDataset } from '../../src/rows/sources/describe-dataset.ts';
import { samplePromptBytes } from '../../src/rows/sources/prompt-sample.ts';
import {
  collect,
  converseFrame,
  converseLine,
  prepareAll,
  promptOf,
  readRecords,
  writeParquet,
  writeSource,
} from '../support/rows.ts';

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
  expect((await recountResults(paths, 'response')).rows).toEqual(collected.rows);
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

test('any table of texts goes to records and comes back, each answer at its own row', async () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.toWellFormed()),
    fc
      .array(
        fc.constantFrom(
          '\0',
          '"',
          '\r\n',
          '\n',
          ',',
          '{',
          '}',
          '{source}',
          '$&',
          '\\',
          '😀',
          '\ufeff',
          '\u2028',
          "'",
        ),
        {
          maxLength: 6,
        },
      )
      .map((pieces) => pieces.join('')),
  );
  const row = fc.record({ source: value, other: value });
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), fc.nat(), async (rows, shuffle) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const content = [
        'source,other',
        ...rows.map(({ source, other }) => `${quoted(source)},${quoted(other)}`),
      ].join('\n');
      const file = await writeSource('t.csv', content);
      const parts = await prepareAll([file], 'a {source} {{b}} {other}', { rowsPerPart: 5 });
      let first = 0;
      for (const { part, recordsPath, rowsPath } of parts) {
        const mine = rows.slice(first, first + part.rows);
        first += part.rows;
        const records = await readRecords(recordsPath);
        expect(records.map(promptOf)).toEqual(mine.map(({ source, other }) => `a ${source} {b} ${other}`));
        const lines = records
          .map((record) => converseLine(record.recordId, `re: ${promptOf(record)}`))
          .sort((a, b) => ((a.length * 31 + shuffle) % 7) - ((b.length * 31 + shuffle) % 7));
        const { resultPath } = await collect(rowsPath, [lines.join('\n')]);
        const back = await all(readResults([resultPath], {}));
        expect(
          back.map(({ source, other, response, record_id }) => ({ source, other, response, record_id })),
        ).toEqual(
          mine.map(({ source, other }, index) => ({
            source,
            other,
            response: `re: a ${source} {b} ${other}`,
            record_id: recordIdOf(part.first_row + index),
          })),
        );
        const file = await asyncBufferFromFile(resultPath);
        const other = await parquetReadObjects({ file, columns: ['record_id', 'attempts'] });
        expect(other).toEqual(
          mine.map((_, index) => ({ record_id: recordIdOf(part.first_row + index), attempts: 1 })),
        );
      }
      expect(first).toBe(rows.length);
    }),
    { numRuns: 15 },
  );
}, 120_000);
