import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PackingLimits } from '../../../src/core/plan/packing.ts';
import type { Dataset } from '../../../src/core/plan/part.ts';
import { cutSlices as cut, rowsPerSource } from '../../../src/steps/plan/slices.ts';

const limits: PackingLimits = { minRecords: 100, maxRecords: 500, maxBytes: 1e9, slots: 20 };

function datasetOf(format: Dataset['format'], fileRows: readonly number[]): Dataset {
  return {
    format,
    files: fileRows.map((rows, index) => ({ uri: `s3://bucket/${index}`, bytes: 1, etag: 'e', rows })),
    columns: [{ name: 'a', type: 'VARCHAR' }],
    rows: fileRows.reduce((sum, rows) => sum + rows, 0),
  };
}

function cutSlices(
  dataset: Dataset,
  rowsPerSlice: number,
  { pilot = false, ...more }: Partial<PackingLimits> & { pilot?: boolean } = {},
) {
  const { rows } = dataset;
  return cut(dataset, { rows, bytesPerRow: 100, limits: { ...limits, ...more }, rowsPerSlice, pilot });
}

function sizesOf(slices: ReturnType<typeof cutSlices>): number[][] {
  return slices.map(({ parts }) => parts.map(({ rows }) => rows));
}

test('the slices of any dataset read every selected row once, in order, from the file that has it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('csv' as const, 'parquet' as const),
      fc.integer({ min: 1, max: 2000 }),
      fc.record({ pilot: fc.boolean(), maxRecords: fc.constantFrom(500, 1500) }),
      (fileRows, format, rowsPerSlice, more) => {
        const dataset = datasetOf(format, fileRows);
        const slices = cutSlices(dataset, rowsPerSlice, more);
        let next = 0;
        const starts = fileRows.map((_, index) =>
          fileRows.slice(0, index).reduce((sum, rows) => sum + rows, 0),
        );
        for (const { reads, parts } of slices) {
          expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(
            reads.reduce((sum, { rows }) => sum + rows, 0),
          );
          for (const read of reads) {
            expect(read.first_row).toBe(next);
            const file = Number(read.uri.split('/').at(-1));
            expect(read.first_row_in_file).toBe(next - (starts[file] ?? 0));
            expect(read.first_row_in_file + read.rows).toBeLessThanOrEqual(fileRows[file] ?? 0);
            next += read.rows;
          }
        }
        expect(next).toBe(dataset.rows);
      },
    ),
  );
});

test('a text file is read once, by one slice, and no part lies in two slices', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      (fileRows, rowsPerSlice, maxParts) => {
        const dataset = datasetOf('jsonl', fileRows);
        const slices = cutSlices(dataset, rowsPerSlice, maxParts === undefined ? {} : { maxParts });
        const uris = slices.flatMap(({ reads }) => reads.map(({ uri }) => uri));
        expect(new Set(uris).size).toBe(uris.length);
        for (const { reads, parts } of slices) {
          const [read, part] = [reads[0], parts[0]];
          expect(part?.first_row).toBe(read?.first_row);
          for (const { rows } of parts) expect(rows).toBeLessThanOrEqual(limits.maxRecords);
        }
        const parts = slices.flatMap((slice) => slice.parts);
        expect(parts.map(({ part_id }) => part_id)).toEqual(
          parts.map((_, index) => `p${String(index + 1).padStart(5, '0')}`),
        );
        // Under the minimum is one part at most in each slice.
        for (const { parts: ofSlice } of slices) {
          expect(ofSlice.filter(({ rows }) => rows < limits.minRecords).length).toBeLessThanOrEqual(1);
        }
      },
    ),
  );
});

test('thousands of text files are grouped, and their parts fill the last wave', () => {
  const slices = cutSlices(
    datasetOf(
      'csv',
      Array.from({ length: 2000 }, () => 100),
    ),
    5000,
  );
  expect(slices).toHaveLength(40);
  expect(slices.every(({ reads }) => reads.length === 50)).toBe(true);
  expect(sizesOf(slices).flat()).toHaveLength(400);
  const short = cutSlices(
    datasetOf(
      'csv',
      Array.from({ length: 2000 }, () => 100),
    ),
    5000,
    { slots: 37 },
  );
  expect(sizesOf(short).flat()).toHaveLength(407);
  expect(Math.min(...sizesOf(short).flat())).toBe(454);
});

test('the few rows of a last text file go with those before it', () => {
  expect(sizesOf(cutSlices(datasetOf('csv', [1000, 1000, 50]), 1000))).toEqual([
    [500, 500],
    [350, 350, 350],
  ]);
});

test('a part under the minimum is one, not many, where a slice cannot be balanced', () => {
  expect(sizesOf(cutSlices(datasetOf('csv', [150, 150]), 150, { maxRecords: 100 }))).toEqual([
    [100, 50],
    [100, 50],
  ]);
});

test('one slice takes all text files where more would take more jobs than asked for', () => {
  const dataset = datasetOf('csv', [700, 700]);
  expect(sizesOf(cutSlices(dataset, 700))).toEqual([
    [350, 350],
    [350, 350],
  ]);
  expect(sizesOf(cutSlices(dataset, 700, { maxParts: 3 }))).toEqual([[466, 467, 467]]);
});

test('a slice takes no more than two gigabytes of text, nor of what its compressed files unpack to', () => {
  const dataset = datasetOf('csv', [400, 400, 400, 400]);
  for (const file of dataset.files) file.bytes = 1024 ** 3;
  expect(cutSlices(dataset, 1e9)).toHaveLength(2);
  for (const file of dataset.files) file.uri = `${file.uri}.csv.gz`;
  expect(cutSlices(dataset, 1e9)).toHaveLength(4);
});

test('Parquet is cut into slices of no more rows than asked, part by part', () => {
  const slices = cutSlices(datasetOf('parquet', [4000, 4000]), 1000);
  expect(slices).toHaveLength(8);
  expect(slices.flatMap(({ parts }) => parts.map(({ part_id }) => part_id))[0]).toBe('p00001');
});

test('a Parquet file of 50 GB is cut into slices of no more than two', () => {
  const dataset = datasetOf('parquet', [50_000]);
  for (const file of dataset.files) file.bytes = 50 * 1024 ** 3;
  expect(rowsPerSource(dataset)).toBe(2000);
  for (const { reads } of cutSlices(dataset, 1e9)) {
    expect(reads.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(2000);
  }
});

test('text is not cut by the size of its rows in the file', () => {
  expect(rowsPerSource(datasetOf('csv', [10]))).toBe(Number.POSITIVE_INFINITY);
});

test('a pilot is a small part in front, and the others are packed as if it were not there', () => {
  const pilot = { pilot: true, maxRecords: 5000, slots: 2 };
  expect(sizesOf(cutSlices(datasetOf('parquet', [12_500]), 1e9, pilot))).toEqual([
    [500, 3000, 3000, 3000, 3000],
  ]);
  expect(sizesOf(cutSlices(datasetOf('csv', [7000, 200, 5300]), 6000, pilot))).toEqual([
    [500, 3250, 3250],
    [2750, 2750],
  ]);
});

test('the first part is the pilot as it is where parts are few, small, or all that the user wants', () => {
  const dataset = datasetOf('parquet', [10_000]);
  const sizes = (more: Partial<PackingLimits>) => sizesOf(cutSlices(dataset, 1e9, { pilot: true, ...more }));
  expect(sizes({ maxRecords: 5000 })).toEqual([[5000, 5000]]);
  expect(sizes({ maxRecords: 1000 })[0]).toHaveLength(10);
  expect(sizes({ maxRecords: 4000, maxParts: 3 })).toEqual([[3333, 3333, 3334]]);
  expect(sizes({ maxRecords: 4000, maxParts: 4 })).toEqual([[500, 3166, 3167, 3167]]);
});
