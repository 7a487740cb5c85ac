import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { duplicatesSql, openRequestIndex } from '../../../src/rows/prepare/request-index.ts';
import { describeDataset } from '../../../src/rows/sources/describe-dataset.ts';
import { converseFrame } from '../../support/rows.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const FRAME = converseFrame('Say {a}');
const ASKED = {
  answerer: 'bedrock',
  modelId: 'amazon.nova-lite-v1:0',
  invocationType: 'InvokeModel',
} as const;

async function indexOf(values: readonly string[], rows = values.length) {
  const directory = await temporaryDirectory();
  const middle = Math.floor(values.length / 2);
  const files = [values.slice(0, middle), values.slice(middle)].map((part, index) => ({
    uri: `s3://bucket/${index}.csv` as const,
    path: join(directory, `${index}.csv`),
    bytes: 1,
    etag: '',
    part,
  }));
  for (const { path, part } of files)
    await writeFile(path, `a\n${part.map((value) => `"${value}"\n`).join('')}`);
  const dataset = await describeDataset(files);
  const index = await openRequestIndex({
    files,
    dataset,
    frame: FRAME,
    asked: ASKED,
    recordIdColumn: undefined,
    rows,
    scratchDirectory: directory,
  });
  return { index, directory };
}

test('the index counts records and finds their rows as a plain loop does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('x', 'y', 'z', ' x', 'ü'), { minLength: 2, maxLength: 40 }),
      async (values) => {
        const { index } = await indexOf(values);
        await using _ = index;
        const isFirst = values.map((value, row) => values.indexOf(value) === row);
        const firsts = [...values.keys()].filter((row) => isFirst[row]);
        expect(index.unsent).toBe(values.length - firsts.length);
        const everyRow = [...values.keys(), values.length];
        expect(await index.recordsBefore(everyRow)).toEqual(
          everyRow.map((row) => firsts.filter((first) => first < row).length),
        );
        expect(await index.rowsOf([...firsts.keys(), firsts.length])).toEqual([...firsts, values.length]);
      },
    ),
    { numRuns: 15 },
  );
});

test('the index saves each duplicate with the first row of the same request, up to a row', async () => {
  const { index, directory } = await indexOf(['a', 'b', 'a', 'c', 'b', 'a']);
  await using _ = index;
  const path = join(directory, 'duplicates.parquet');
  await index.save(path, 5);
  await using db = await openDuckDb({ memoryMb: 128, threads: 1, scratchDirectory: directory });
  expect(await db.rows(duplicatesSql(path, { firstRow: 0, rows: 10 }))).toEqual([
    { row: '2', canonical_row: '0', canonical_id: 'r0000000000' },
    { row: '4', canonical_row: '1', canonical_id: 'r0000000001' },
  ]);
  expect(await db.rows(duplicatesSql(path, { firstRow: 3, rows: 2 }))).toHaveLength(1);
});

test('rows beyond those that are run are nobody’s duplicates', async () => {
  const { index } = await indexOf(['a', 'b', 'a', 'a'], 3);
  await using _ = index;
  expect(index.unsent).toBe(1);
});
