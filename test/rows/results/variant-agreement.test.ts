import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answerSchemaOf } from '../../../src/core/run-input/output-schema.ts';
import { outputOf } from '../../../src/models/adapters/model-adapter.ts';
import { resolveModel } from '../../../src/models/resolve-model.ts';
import { openDuckDb, sqlText } from '../../../src/rows/duckdb/duckdb.ts';
import { resultColumnsOf } from '../../../src/rows/results/result-columns.ts';
import { compareVariants } from '../../../src/rows/results/variant-agreement.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { adapter } = resolveModel('amazon.nova-lite-v1:0', { parameters: {}, systemPrompt: undefined });
const columnsOf = (schema?: Record<string, string>) =>
  resultColumnsOf({
    shape: outputOf(adapter, {}),
    outputColumn: undefined,
    recordIdColumn: undefined,
    schema: schema === undefined ? undefined : answerSchemaOf(schema),
  });

async function fileOf(rows: string): Promise<string> {
  const directory = await temporaryDirectory();
  const path = join(directory, 'rows.parquet');
  await using db = await openDuckDb({ memoryMb: 256, threads: 1, scratchDirectory: directory });
  await db.run(`COPY (${rows}) TO ${sqlText(path)} (FORMAT parquet)`);
  return path;
}

test('texts agree where they are the same, and have a kappa where they are categories', async () => {
  // Of 8 rows one failed in b; of the other 7, they agree in 5.
  const path = await fileOf(`SELECT CASE WHEN n < 4 THEN 'yes' ELSE 'no' END AS response_a,
      CASE WHEN n IN (0, 1, 2, 4) THEN 'yes' WHEN n < 7 THEN 'no' END AS response_b,
      CASE WHEN n = 7 THEN '500' END AS error_code_b, CAST(NULL AS VARCHAR) AS error_code_a,
      'prose ' || n AS response_c, CAST(NULL AS VARCHAR) AS error_code_c
    FROM range(8) AS t(n)`);
  const variants = ['a', 'b', 'c'].map((name) => ({ name, columns: columnsOf() }));
  const [ab, ac, bc] = await compareVariants([path], { variants, maxRows: 100 });
  const kappa = (5 * 7 - (4 * 4 + 3 * 3)) / (49 - (4 * 4 + 3 * 3));
  expect(ab).toEqual({
    a: 'a',
    b: 'b',
    compared: 7,
    equal: 5,
    columns: [{ name: 'response', equal: 5, kappa: expect.closeTo(kappa, 12) }],
  });
  expect(ac).toMatchObject({ compared: 8, equal: 0, columns: [{ kappa: null }] });
  expect(bc).toMatchObject({ a: 'b', b: 'c', compared: 7, equal: 0 });
  expect((await compareVariants([path, path], { variants, maxRows: 10 }))[1]?.compared).toBe(10);
});

test('typed answers agree by the columns that both have, all of them or one by one', async () => {
  const path = await fileOf(`SELECT 'x' || n AS response_a, 'y' || n AS response_b, 'good' AS label_a,
      CASE WHEN n = 0 THEN 'bad' ELSE 'good' END AS label_b, n AS stars_a, CASE WHEN n < 3 THEN n END AS stars_b, n AS own_b,
      CAST(NULL AS VARCHAR) AS error_code_a, CAST(NULL AS VARCHAR) AS error_code_b FROM range(4) AS t(n)`);
  const variants = [
    { name: 'a', columns: columnsOf({ label: 'good | bad', stars: 'integer?' }) },
    { name: 'b', columns: columnsOf({ label: 'good | bad', stars: 'integer?', own: 'integer' }) },
  ];
  expect(await compareVariants([path], { variants, maxRows: 100 })).toEqual([
    {
      a: 'a',
      b: 'b',
      compared: 4,
      equal: 2,
      columns: [
        { name: 'label', equal: 3, kappa: 0 },
        { name: 'stars', equal: 3, kappa: null },
      ],
    },
  ]);
});
