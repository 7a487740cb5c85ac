import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDuckDb } from '../../../src/rows/duckdb/duckdb.ts';
import { summarizeColumns } from '../../../src/rows/results/column-summaries.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function parquetOf(select: string): Promise<string> {
  const directory = await temporaryDirectory();
  const path = join(directory, 'result.parquet');
  await using db = await openDuckDb({ memoryMb: 128, threads: 1, scratchDirectory: directory });
  await db.copy(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
  return path;
}

test('nulls, the most frequent values and numbers of each column, over all files, of rows with an answer', async () => {
  const first = await parquetOf(`SELECT * FROM (VALUES
    (NULL, 'good', 0.5, ['a', 'b'], {'x': 1}), (NULL, 'bad', NULL, ['a'], NULL), ('500', 'never', 99, NULL, NULL)
  ) AS rows(error_code, label, score, topics, object)`);
  const second = await parquetOf(`SELECT * FROM (VALUES
    (NULL::VARCHAR, 'good', 1.5, NULL::VARCHAR[], NULL::STRUCT(x INTEGER)), (NULL, NULL, 'nan'::DOUBLE, [], NULL)
  ) AS rows(error_code, label, score, topics, object)`);
  const names = ['label', 'score', 'topics', 'object', 'gone'];
  expect(await summarizeColumns([first, second], { names, maxRows: 100 })).toEqual([
    {
      name: 'label',
      type: 'VARCHAR',
      rows: 4,
      nulls: 1,
      values: [
        { value: 'good', rows: 2 },
        { value: 'bad', rows: 1 },
      ],
      numbers: null,
    },
    expect.objectContaining({
      name: 'score',
      rows: 4,
      nulls: 1,
      numbers: { min: 0.5, mean: 1, max: 1.5 },
    }),
    {
      name: 'topics',
      type: 'VARCHAR[]',
      rows: 4,
      nulls: 1,
      values: [
        { value: 'a', rows: 2 },
        { value: 'b', rows: 1 },
      ],
      numbers: null,
    },
  ]);
});

test('of prose no values are told, long values are cut, and no more rows are looked at than are wanted', async () => {
  const prose = await parquetOf(
    "SELECT NULL::VARCHAR AS error_code, 'text ' || range AS said FROM range(50)",
  );
  const [column] = await summarizeColumns([prose, prose], { names: ['said'], maxRows: 10 });
  expect(column).toMatchObject({ rows: 50, values: [] });
  const long = await parquetOf("SELECT NULL::VARCHAR AS error_code, repeat('é', 100) AS said FROM range(5)");
  const [cut] = await summarizeColumns([long], { names: ['said'], maxRows: 10 });
  expect(cut?.values).toEqual([{ value: 'é'.repeat(60), rows: 5 }]);
});
