import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type ComparisonRequest,
  compareResults,
  type ResultComparison,
} from '../../../src/rows/compare/compare-results.ts';
import { resultObjects } from '../../../src/rows/results/result-objects.ts';
import { createDirectoryStore } from '../../../src/store/directory-store.ts';
import { asRemote, bytesOf } from '../../support/remote-store.ts';
import { createDirectory, writeParquet } from '../../support/rows.ts';

/** Result files, each of the rows that its SQL gives. */
async function results(...sqls: string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const sql of sqls) paths.push((await writeParquet('result.parquet', sql)).path);
  return paths;
}

async function compare(
  a: readonly string[],
  b: readonly string[],
  more: Partial<ComparisonRequest> = {},
): Promise<ResultComparison> {
  return compareResults({
    a: { files: a, outputColumn: 'response' },
    b: { files: b, outputColumn: 'response' },
    key: { kind: 'record_id' },
    inputs: undefined,
    typed: [],
    isEmbedding: false,
    directory: await createDirectory(),
    ...more,
  });
}

/** Rows of a run, whose columns some rows have otherwise: SQL over `i`, the row's number. */
function rowsSql({
  from = 0,
  to,
  ...columns
}: { from?: number; to: number } & Partial<Record<keyof typeof COLUMNS, string>>): string {
  const selected = Object.entries({ ...COLUMNS, ...columns }).map(([name, sql]) => `${sql} AS "${name}"`);
  return `SELECT ${selected.join(', ')} FROM range(${from}, ${to}) AS numbers(i) ORDER BY i`;
}

const COLUMNS = {
  text: `'Review ' || i`,
  mood: `CASE WHEN i % 2 = 0 THEN 'good' ELSE 'bad' END`,
  stars: 'CAST(1 + i % 5 AS BIGINT)',
  score: 'CAST(i % 100 AS DOUBLE) / 100',
  fine: 'i % 3 = 0',
  response: `'Answer ' || i`,
  record_id: `format('r{:010d}', i)`,
  error_code: 'CAST(NULL AS VARCHAR)',
  error_message: 'CAST(NULL AS VARCHAR)',
  stop_reason: `'end_turn'`,
  input_tokens: 'CAST(10 AS BIGINT)',
  output_tokens: 'CAST(5 AS BIGINT)',
  attempts: '1',
};

test('every planted change is counted, and nothing else', async () => {
  const a = await results(
    rowsSql({ to: 600, error_code: `CASE WHEN i IN (20, 21, 22) THEN '503' END` }),
    rowsSql({ from: 600, to: 1000 }),
  );
  // 10 to 16: other words. 20 and 21: mended; 22 fails still. 900 to 904: fail for two causes. The last 10 rows are gone, 5 are new.
  const b = await results(
    rowsSql({
      to: 990,
      response: `CASE WHEN i BETWEEN 10 AND 16 THEN 'Other ' || i ELSE 'Answer ' || i END`,
      error_code: `CASE WHEN i = 22 THEN '400' WHEN i IN (900, 901, 902) THEN 'RecordMissing' WHEN i IN (903, 904) THEN '400' END`,
      stop_reason: `CASE WHEN i IN (40, 41) THEN 'max_tokens' WHEN i = 50 THEN 'refusal' ELSE 'end_turn' END`,
      output_tokens: `CAST(CASE WHEN i < 100 THEN 7 ELSE 5 END AS BIGINT)`,
    }),
    rowsSql({ from: 1000, to: 1005 }),
  );
  const found = await compare(a, b);
  expect(found).toMatchObject({
    in_both: 990,
    only_in_a: 10,
    only_in_b: 5,
    duplicates: { a: 0, b: 0 },
    edited: null,
    compared: 982,
    changed: { rows: 7, of: 982 },
    reworded: 7,
    newly_failed: {
      rows: 5,
      causes: [
        { error_code: 'RecordMissing', rows: 3 },
        { error_code: '400', rows: 2 },
      ],
    },
    newly_mended: { rows: 2, causes: [{ error_code: '503', rows: 2 }] },
    failed_in_both: 1,
    truncated: { a: 0, b: 2, newly: 2, no_longer: 0 },
    refused: { a: 0, b: 1, newly: 1, no_longer: 0 },
    input_tokens: { rows: 982, increased: 0, decreased: 0, shift: { mean: 0 } },
    output_tokens: { rows: 982, mean_a: 5, increased: 97, quantiles: { min: 0, median: 0, p95: 2, max: 2 } },
  });
  const places = found.telling.map(({ a: { file, row }, why: { kind } }) => [kind, file, row]);
  expect(places.filter(([kind]) => kind === 'newly_failed')).toEqual([
    ['newly_failed', 1, 300],
    ['newly_failed', 1, 301],
    ['newly_failed', 1, 303],
    ['newly_failed', 1, 304],
  ]);
  expect(
    new Set(places.filter(([kind]) => kind === 'length' || kind === 'words').map(([, , row]) => row)),
  ).toEqual(new Set([10, 11, 12, 13, 14, 15, 16]));
});

test('a result beside itself differs in nothing', async () => {
  const files = await results(
    rowsSql({
      to: 300,
      error_code: `CASE WHEN i = 3 THEN '400' END`,
      score: `CASE WHEN i = 7 THEN CAST('NaN' AS DOUBLE) ELSE i END`,
    }),
    rowsSql({ from: 300, to: 400, mood: 'CAST(NULL AS VARCHAR)' }),
  );
  const found = await compare(files, files, { typed: ['mood', 'stars', 'score', 'fine'] });
  expect(found).toMatchObject({
    in_both: 400,
    only_in_a: 0,
    only_in_b: 0,
    compared: 399,
    changed: { rows: 0, of: 399, share: 0 },
    reworded: 0,
    newly_failed: { rows: 0, causes: [] },
    newly_mended: { rows: 0, causes: [] },
    failed_in_both: 1,
    telling: [],
  });
  for (const { changed, significance, transitions } of found.columns) {
    expect([changed.rows, significance]).toEqual([0, null]);
    expect(transitions.every(({ from, to }) => from === to)).toBe(true);
  }
});

test('of typed columns it is told what became what, and whether that could be chance', async () => {
  const a = await results(rowsSql({ to: 200 }));
  // Of 100 good ones 12 become bad, and of the bad ones 2 good; each row of the first half has 0.1 more. One answer is spelled otherwise.
  const b = await results(
    rowsSql({
      to: 200,
      mood: `CASE WHEN i < 24 AND i % 2 = 0 THEN 'bad' WHEN i IN (101, 103) THEN 'good' WHEN i % 2 = 0 THEN 'good' ELSE 'bad' END`,
      score: `CAST(i % 100 + CASE WHEN i < 100 THEN 10 ELSE 0 END AS DOUBLE) / 100`,
      stars: `CAST(1 + i % 5 AS INTEGER)`,
      response: `CASE WHEN i = 150 THEN 'Answer  150' ELSE 'Answer ' || i END`,
    }),
  );
  const found = await compare(a, b, { typed: ['mood', 'stars', 'score', 'fine', 'absent'] });
  expect(found.changed.rows).toBe(102);
  expect(found.reworded).toBe(1);
  const [mood, stars, score, fine, ...others] = found.columns;
  expect(others).toEqual([]);
  expect(mood).toMatchObject({
    name: 'mood',
    changed: { rows: 14, of: 200 },
    transitions: [
      { from: 'bad', to: 'bad', rows: 98 },
      { from: 'good', to: 'good', rows: 88 },
      { from: 'good', to: 'bad', rows: 12 },
      { from: 'bad', to: 'good', rows: 2 },
    ],
    others: 0,
    numbers: null,
  });
  // scipy.stats.binomtest(2, 14).pvalue
  expect(mood?.significance).toEqual({ test: 'mcnemar', p: expect.closeTo(0.012939453125, 12) });
  expect(stars).toMatchObject({ type_a: 'BIGINT', type_b: 'INTEGER', changed: { rows: 0 } });
  expect(score).toMatchObject({
    changed: { rows: 100 },
    numbers: { rows: 200, increased: 100, decreased: 0, shift: { mean: expect.closeTo(0.05, 9) } },
  });
  expect(score?.significance?.p).toBeLessThan(1e-20);
  expect(fine?.significance).toBeNull();
  const shifted = found.telling.filter(({ why }) => why.kind === 'shift');
  expect(shifted).toHaveLength(5);
  expect(found.telling.find(({ why }) => why.kind === 'transition')?.values).toContainEqual({
    name: 'mood',
    from: 'good',
    to: 'bad',
  });
});

test('rows are joined by what is in their columns, and those of the same content in their order', async () => {
  const row = (text: string | null, answer: string, id: number) =>
    `SELECT ${text === null ? 'NULL' : `'${text}'`} AS text, ${id} AS number, '${answer}' AS response, 'r${id}' AS record_id, CAST(NULL AS VARCHAR) AS error_code, 'end_turn' AS stop_reason, 1 AS input_tokens, 1 AS output_tokens`;
  const a = await results(
    [
      row('x', 'one', 0),
      row('twice', 'two', 1),
      row('twice', 'three', 2),
      row(null, 'null', 3),
      row('gone', 'g', 4),
    ].join(' UNION ALL '),
  );
  const b = await results(
    [
      row('new', 'n', 0),
      row('twice', 'two', 1),
      row(null, 'null', 2),
      row('x', 'other', 3),
      row('twice', 'four', 4),
      row('twice', 'five', 5),
    ].join(' UNION ALL '),
  );
  const found = await compare(a, b, { key: { kind: 'content', columns: ['text'] } });
  expect(found).toMatchObject({
    in_both: 4,
    only_in_a: 1,
    only_in_b: 2,
    duplicates: { a: 1, b: 2 },
    changed: { rows: 2, of: 4 },
  });
});

test('rows of the same id whose input differs are counted', async () => {
  const a = await results(rowsSql({ to: 50 }));
  const b = await results(
    rowsSql({ to: 50, text: `CASE WHEN i < 4 THEN 'Edited ' || i ELSE 'Review ' || i END` }),
  );
  expect(await compare(a, b, { inputs: ['text'] })).toMatchObject({
    in_both: 50,
    edited: 4,
    changed: { rows: 0 },
  });
});

test('columns do not run into one another, and a value is not its absence', async () => {
  const pairs = (x: string, y: string) =>
    `SELECT ${x} AS x, ${y} AS y, 'a' AS response, 'r0' AS record_id, CAST(NULL AS VARCHAR) AS error_code, 'end_turn' AS stop_reason`;
  const key = { kind: 'content', columns: ['x', 'y'] } as const;
  for (const [one, other] of [
    [pairs(`'ab'`, `'c'`), pairs(`'a'`, `'bc'`)],
    [pairs('CAST(NULL AS VARCHAR)', `'c'`), pairs(`''`, `'c'`)],
    [pairs('CAST(NULL AS VARCHAR)', `'c'`), pairs(`'-'`, `'c'`)],
  ] as const) {
    const found = await compare(await results(one), await results(other), { key });
    expect([found.in_both, found.only_in_a, found.only_in_b]).toEqual([0, 1, 1]);
  }
});

test('of results in S3 only the columns that it takes are fetched, by ranges', async () => {
  const directory = await createDirectory();
  const inner = createDirectoryStore(directory);
  const uris: `s3://${string}`[] = [];
  for (const [part, from] of [0, 10_000].entries()) {
    // Most of the bytes are in a column of the dataset that nothing is joined by.
    const text = Array.from(
      { length: 12 },
      (_, index) => `md5(CAST(i + ${index * 100_000} AS VARCHAR))`,
    ).join(' || ');
    const { path } = await writeParquet('part.parquet', rowsSql({ from, to: from + 10_000, text }));
    uris.push(`s3://bucket/p${part}.parquet`);
    await inner.putFile(path, uris[part] ?? 's3://bucket/none');
  }
  const sizes = await Promise.all(uris.map(async (uri) => (await inner.head(uri))?.size ?? 0));
  const { store, ranges, downloads } = asRemote(inner);
  const files = resultObjects(uris, { store, scratchDirectory: `${directory}/scratch` });
  const side = { files, outputColumn: 'response' };
  expect(await compare([], [], { a: side, b: side })).toMatchObject({
    in_both: 20_000,
    changed: { rows: 0 },
  });
  expect(downloads).toEqual([]);
  // Of both sides together less than a quarter.
  expect(bytesOf(ranges)).toBeLessThan(0.5 * sizes.reduce((sum, size) => sum + size, 0));
});

test('numbers that are none, and very large ones, break nothing', async () => {
  const a = await results(
    rowsSql({
      to: 10,
      score: `CASE WHEN i = 1 THEN 'Infinity' WHEN i = 2 THEN '1e308' ELSE '1' END::DOUBLE`,
    }),
  );
  const b = await results(rowsSql({ to: 10, score: `CASE WHEN i = 2 THEN '-1e308' ELSE '1' END::DOUBLE` }));
  const [score] = (await compare(a, b, { typed: ['score'] })).columns;
  expect(score).toMatchObject({ changed: { rows: 2 }, numbers: { rows: 8, shift: { mean: 0 } } });
});

test('vectors are compared by their cosine distance', async () => {
  const rows = (vector: string) =>
    `SELECT format('r{:010d}', i) AS record_id, 'Text ' || i AS text, CAST(${vector} AS FLOAT[]) AS response, CAST(NULL AS VARCHAR) AS error_code, CAST(NULL AS VARCHAR) AS stop_reason, 3 AS input_tokens FROM range(FROM_ROW, TO_ROW) AS numbers(i) ORDER BY i`;
  const cut = (sql: string, from: number, to: number) =>
    sql.replace('FROM_ROW', `${from}`).replace('TO_ROW', `${to}`);
  const one = rows('[1, i % 7, 0.3]');
  // 5 are turned by a right angle, 3 to the opposite, 1 is of another length, and 1 has no direction.
  const other = rows(
    'CASE WHEN i < 5 THEN [-(i % 7), 1, 0] WHEN i < 8 THEN [-1, -(i % 7), -0.3] WHEN i = 8 THEN [1, 2] WHEN i = 9 THEN [0, 0, 0] ELSE [1, i % 7, 0.3] END',
  );
  const a = await results(cut(one, 0, 60), cut(one, 60, 100));
  const b = await results(cut(other, 0, 4), cut(other, 4, 100));
  const found = await compare(a, b, { isEmbedding: true });
  expect(found).toMatchObject({
    compared: 100,
    changed: { rows: 10, of: 100 },
    reworded: null,
    characters: null,
    distances: { rows: 98, without: 2, quantiles: { min: 0, median: 0, max: expect.closeTo(2, 5) } },
  });
  expect(found.distances?.mean).toBeCloseTo((5 * 1 + 3 * 2) / 98, 5);
  expect(found.telling.map(({ why }) => why.kind)).toEqual(Array.from({ length: 8 }, () => 'distance'));
  expect(found.telling.slice(0, 3).map(({ a: { row } }) => row)).toEqual(expect.arrayContaining([5, 6, 7]));
  const self = await compare(a, a, { isEmbedding: true });
  expect(self).toMatchObject({
    changed: { rows: 0 },
    distances: { rows: 100, mean: 0, quantiles: { max: 0 } },
    telling: [],
  });
});

test('whatever is planted where, the counts are those of a plain count', async () => {
  const row = fc.record({
    id: fc.integer({ min: 0, max: 15 }),
    answer: fc.constantFrom('x', 'y', 'z'),
    failed: fc.boolean(),
  });
  const side = fc.uniqueArray(row, { selector: ({ id }) => id, minLength: 1, maxLength: 16 });
  await fc.assert(
    fc.asyncProperty(side, side, async (one, other) => {
      const sql = (rows: typeof one) =>
        rows
          .map(
            ({ id, answer, failed }) =>
              `SELECT 'r${id}' AS record_id, '${answer}' AS response, ${failed ? "'400'" : 'CAST(NULL AS VARCHAR)'} AS error_code, 'end_turn' AS stop_reason`,
          )
          .join(' UNION ALL ');
      const found = await compare(await results(sql(one)), await results(sql(other)));
      const pairs = one.flatMap((left) => {
        const right = other.find(({ id }) => id === left.id);
        return right === undefined ? [] : [{ left, right }];
      });
      expect([found.in_both, found.only_in_a, found.only_in_b]).toEqual([
        pairs.length,
        one.length - pairs.length,
        other.length - pairs.length,
      ]);
      const count = (keeps: (pair: (typeof pairs)[number]) => boolean) => pairs.filter(keeps).length;
      expect(found.compared).toBe(count(({ left, right }) => !left.failed && !right.failed));
      expect(found.changed.rows).toBe(
        count(({ left, right }) => !left.failed && !right.failed && left.answer !== right.answer),
      );
      expect(found.newly_failed.rows).toBe(count(({ left, right }) => !left.failed && right.failed));
      expect(found.newly_mended.rows).toBe(count(({ left, right }) => left.failed && !right.failed));
      expect(found.failed_in_both).toBe(count(({ left, right }) => left.failed && right.failed));
    }),
    { numRuns: 8 },
  );
});
