import { expect, test } from 'vitest';
import type { Dataset } from '../../../src/core/plan/part.ts';
import { readsOf } from '../../../src/core/plan/slice-reads.ts';

const dataset: Dataset = {
  format: 'parquet',
  files: [10, 0, 5].map((rows, index) => ({ uri: `s3://bucket/${index}`, bytes: 1, etag: 'e', rows })),
  columns: [{ name: 'a', type: 'VARCHAR' }],
  rows: 15,
};

test('a run of parts reads of each file the rows that it has, and of an empty file none', () => {
  const parts = [
    { part_id: 'p1', variant: 0, first_row: 4, rows: 5 },
    { part_id: 'p2', variant: 0, first_row: 9, rows: 3 },
  ];
  expect(readsOf(dataset, parts)).toEqual([
    { uri: 's3://bucket/0', first_row_in_file: 4, rows: 6, first_row: 4 },
    { uri: 's3://bucket/2', first_row_in_file: 0, rows: 2, first_row: 10 },
  ]);
});

test('no parts read nothing', () => {
  expect(readsOf(dataset, [])).toEqual([]);
});
