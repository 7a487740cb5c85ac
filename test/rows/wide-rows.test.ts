import { expect, test } from 'vitest';
import { recordIdOf } from '../../src/core/record-id.ts';
import { MOST_TEXT_COLUMNS, memoryForColumns } from '../../src/rows/duckdb/wide-rows.ts';
import { textMemoryFor } from '../../src/rows/prepare/prepare-memory.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { describeDataset } from '../../src/rows/sources/describe-dataset.ts';
import { collect, converseLine, prepareAll, writeSource } from '../support/rows.ts';

const ROWS = 20;
const columnsOf = (count: number) => Array.from({ length: count }, (_, index) => `column ${index}`);
const cell = (row: number, column: number) => `${row}.${column}`;

function csvOf(columns: readonly string[]): string {
  const rows = Array.from({ length: ROWS }, (_, row) => columns.map((_, column) => cell(row, column)));
  return [columns, ...rows].map((fields) => `${fields.join(',')}\n`).join('');
}

function jsonlOf(columns: readonly string[]): string {
  return Array.from({ length: ROWS }, (_, row) =>
    JSON.stringify(Object.fromEntries(columns.map((name, column) => [name, cell(row, column)]))),
  ).join('\n');
}

test.each([
  ['csv', csvOf],
  ['jsonl', jsonlOf],
] as const)('as many columns of %s as are taken go through to the results', async (ending, contentOf) => {
  const columns = columnsOf(MOST_TEXT_COLUMNS);
  const [prepared] = await prepareAll(
    [await writeSource(`x.${ending}`, contentOf(columns))],
    '{column 4999}',
  );
  const output = Array.from({ length: ROWS }, (_, row) =>
    converseLine(recordIdOf(row), `answer ${row}`),
  ).join('\n');
  const { resultPath } = await collect(prepared?.rowsPath ?? '', [output]);
  let row = 0;
  for await (const result of readResults([resultPath], {})) {
    expect(Object.values(result).slice(0, MOST_TEXT_COLUMNS)).toEqual(
      columns.map((_, column) => cell(row, column)),
    );
    expect(result.response).toBe(`answer ${row}`);
    row += 1;
  }
  expect(row).toBe(ROWS);
});

test('more columns are refused at the plan', async () => {
  const file = await writeSource('x.csv', csvOf(columnsOf(MOST_TEXT_COLUMNS + 1)));
  await expect(describeDataset([file])).rejects.toThrow(
    's3://data/x.csv has 5001 columns; CSV and JSON may have 5000. Leave out those that neither prompts nor results need.',
  );
});

test('rows with values of many megabytes are read from the results a few at a time', async () => {
  const big = 'é"\n'.repeat(2_500_000);
  const lines = Array.from({ length: 8 }, (_, row) =>
    JSON.stringify({ n: String(row), big: `${row}${big}` }),
  );
  const [prepared] = await prepareAll([await writeSource('x.jsonl', lines.join('\n'))], '{n}');
  const output = Array.from({ length: 8 }, (_, row) => converseLine(recordIdOf(row), 'fine')).join('\n');
  const { resultPath } = await collect(prepared?.rowsPath ?? '', [output]);
  let row = 0;
  for await (const result of readResults([resultPath], {})) {
    expect(result.n).toBe(String(row));
    // Not in a message, should they differ.
    expect(result.big === `${row}${big}`).toBe(true);
    row += 1;
  }
  expect(row).toBe(8);
});

test.each([
  [10, 512, 2],
  [800, 512, 2],
  [801, 1_024, 1],
  [5_000, 2_048, 1],
])('%i columns have the memory that they need', (columns, memoryMb, partsAtOnce) => {
  expect(textMemoryFor(columns)).toEqual({ memoryMb, partsAtOnce });
  expect(memoryForColumns(columns, 4_096)).toBe(4_096);
});
