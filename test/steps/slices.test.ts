import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packRows } from '../../src/core/packing.ts';
import type { Dataset } from '../../src/core/part.ts';
import { cutSlices } from '../../src/steps/slices.ts';

const limits = { minRecords: 100, maxRecords: 500, maxBytes: 1e9, slots: 20 };

function datasetOf(format: Dataset['format'], fileRows: readonly number[]): Dataset {
  return {
    format,
    files: fileRows.map((rows, index) => ({ uri: `s3://bucket/${index}`, bytes: 1, etag: 'e', rows })),
    columns: [{ name: 'a', type: 'VARCHAR' }],
    rows: fileRows.reduce((sum, rows) => sum + rows, 0),
  };
}

test('the slices of any dataset read every selected row once, in order, from the file that has it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom('csv' as const, 'parquet' as const),
      fc.integer({ min: 1, max: 2000 }),
      (fileRows, format, rowsPerSlice) => {
        const dataset = datasetOf(format, fileRows);
        const slices = cutSlices(dataset, packRows(dataset.rows, 100, limits), rowsPerSlice);
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

test('text files are read from their start, so one slice takes them all', () => {
  const dataset = datasetOf('csv', [4000, 4000]);
  expect(cutSlices(dataset, packRows(8000, 100, limits), 1000)).toHaveLength(1);
});

test('Parquet is cut into slices of no more rows than asked, part by part', () => {
  const dataset = datasetOf('parquet', [4000, 4000]);
  const slices = cutSlices(dataset, packRows(8000, 100, limits), 1000);
  expect(slices).toHaveLength(8);
  expect(slices.flatMap(({ parts }) => parts.map(({ part_id }) => part_id))[0]).toBe('p00001');
});
