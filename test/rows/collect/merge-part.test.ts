import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { mergePart } from '../../../src/rows/collect/merge-part.ts';
import { columnsOf, query, typesOf, writeParquet } from '../../support/rows.ts';

const COLUMNS =
  'record_id, response, error_code, error_message, stop_reason, input_tokens, output_tokens, attempts';

/** A result file of rows `[record id, answer, error code, attempts]`. */
async function result(name: string, rows: [string, string | null, string | null, number][], extra = '') {
  const text = (value: string | null) => (value === null ? 'CAST(NULL AS VARCHAR)' : `'${value}'`);
  const values = rows.map(
    ([id, answer, code, attempts]) =>
      `(${text(id)}, ${text(answer)}, ${text(code)}, ${text(code && `${code} says`)}, ${text(answer && 'end')}, 1, 2, ${attempts})`,
  );
  return (await writeParquet(name, `SELECT ${extra}* FROM (VALUES ${values.join(', ')}) AS t(${COLUMNS})`))
    .path;
}

async function merged(resultPath: string, repairPaths: string[], elsewherePaths: string[] = []) {
  const mergedPath = join(dirname(resultPath), 'merged.parquet');
  const ledger = await mergePart({
    resultPath,
    repairs: repairPaths.map((file) => ({ file })),
    elsewhere: elsewherePaths.map((file) => ({ file })),
    columns: columnsOf(),
    mergedPath,
    scratchDirectory: dirname(resultPath),
  });
  const rows = await query(
    `SELECT record_id, response, error_code, attempts FROM '${mergedPath}' ORDER BY file_row_number`,
  );
  return { ledger, rows: rows.map((row) => Object.values(row)) };
}

test('every row has its last outcome, in its place, beside its own columns', async () => {
  const first = await result('first.parquet', [
    ['a', 'A', null, 1],
    ['b', null, '500', 1],
    ['c', null, '429', 1],
    ['d', null, '400', 1],
    ['e', null, '500', 1],
  ]);
  const second = await result('second.parquet', [
    ['c', null, '503', 2],
    ['b', 'B', null, 2],
    ['e', null, '503', 2],
    ['of another part', 'X', null, 2],
  ]);
  const third = await result('third.parquet', [
    ['c', 'C', null, 3],
    ['e', null, '429', 3],
  ]);
  const { ledger, rows } = await merged(first, [second, third]);
  expect(rows).toEqual([
    ['a', 'A', null, 1],
    ['b', 'B', null, 2],
    ['c', 'C', null, 3],
    ['d', null, '400', 1],
    ['e', null, '429', 3],
  ]);
  expect(ledger).toEqual({
    rows: { total: 5, succeeded: 3, failed: 2, not_sent: 0 },
    stop_reasons: [{ stop_reason: 'end', rows: 3, empty: 0 }],
    reasons: [
      { error_code: '400', rows: 1, example_record_id: 'd', example_message: '400 says' },
      { error_code: '429', rows: 1, example_record_id: 'e', example_message: '429 says' },
    ],
  });
});

test('an answer that was paid for is never replaced by an error', async () => {
  const first = await result('first.parquet', [
    ['a', 'cut off', null, 1],
    ['b', null, '500', 1],
  ]);
  const second = await result('second.parquet', [
    ['a', null, '500', 2],
    ['b', 'cut off', null, 2],
  ]);
  const third = await result('third.parquet', [
    ['a', null, '503', 3],
    ['b', null, '429', 3],
  ]);
  expect((await merged(first, [second, third])).rows).toEqual([
    ['a', 'cut off', null, 3],
    ['b', 'cut off', null, 3],
  ]);
});

test('a part whose owed rows were never sent again stays as it is', async () => {
  const first = await result('first.parquet', [['a', null, '500', 1]]);
  expect((await merged(first, [])).rows).toEqual([['a', null, '500', 1]]);
});

test('a row that is answered elsewhere gets that record’s last outcome, and none of its tokens', async () => {
  // As Collect leaves them: no error, no answer, and the record that has both.
  const waiting = (id: string, by: string) =>
    `SELECT '${id}', NULL, NULL, NULL, NULL, NULL, NULL, 0, '${by}'`;
  const first = await writeParquet(
    'first.parquet',
    `SELECT * FROM (VALUES ('a', 'A', NULL::VARCHAR, NULL::VARCHAR, 'end', 1, 2, 1, NULL::VARCHAR)) AS t(${COLUMNS}, __quarry_answered_by)
      UNION ALL ${waiting('b', 'a')} UNION ALL ${waiting('c', 'x')} UNION ALL ${waiting('d', 'y')}`,
  );
  const other = await result('other.parquet', [
    ['x', 'cut off', null, 1],
    ['y', null, '500', 1],
    ['z', 'of nobody', null, 1],
  ]);
  const repair = await result('repair.parquet', [['y', 'Y', null, 2]]);
  const { ledger, rows } = await merged(first.path, [repair], [first.path, other]);
  expect(rows).toEqual([
    ['a', 'A', null, 1],
    ['b', 'A', null, 1],
    ['c', 'cut off', null, 1],
    ['d', 'Y', null, 2],
  ]);
  expect(ledger).toMatchObject({ rows: { total: 4, succeeded: 4, failed: 0, not_sent: 0 }, reasons: [] });
  const path = join(dirname(first.path), 'merged.parquet');
  expect(await query(`SELECT input_tokens AS n FROM '${path}' ORDER BY file_row_number`)).toEqual([
    { n: 1 },
    { n: null },
    { n: null },
    { n: null },
  ]);
  expect(Object.keys(await typesOf(path))).not.toContain('__quarry_answered_by');
  await expect(merged(first.path, [], [first.path])).rejects.toThrow(
    `2 rows of ${first.path}, such as c, get the answer of another row, which was not found.`,
  );
});

test('a column of answers may have any name: the last turn counts, and not what the column says', async () => {
  const of = async (name: string, turn: string) => {
    const { path } = await writeParquet(
      name,
      `SELECT 'a' AS record_id, '${turn}' AS wave, NULL::VARCHAR AS error_code, NULL::VARCHAR AS error_message, 'end' AS stop_reason, 1 AS input_tokens, 2 AS output_tokens, 1 AS attempts`,
    );
    return path;
  };
  const [first, second, third] = [
    await of('1.parquet', 'b'),
    await of('2.parquet', 'c'),
    await of('3.parquet', 'a'),
  ];
  const mergedPath = join(dirname(first), 'merged.parquet');
  await mergePart({
    resultPath: first,
    repairs: [{ file: second }, { file: third }],
    columns: columnsOf({ outputColumn: 'wave' }),
    mergedPath,
    scratchDirectory: dirname(first),
  });
  expect(await query(`SELECT wave FROM '${mergedPath}'`)).toEqual([{ wave: 'a' }]);
});
