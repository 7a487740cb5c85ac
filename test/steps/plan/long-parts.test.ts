import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Dataset, Slice } from '../../../src/core/plan/part.ts';
import { readsOf } from '../../../src/core/plan/slice-reads.ts';
import { cutLongParts } from '../../../src/steps/plan/long-parts.ts';

const GIB = 1024 ** 3;

/** A dataset of one file of 100 rows, which are as large as `slices` slices. */
function datasetOf(slices: number, format: Dataset['format'] = 'parquet'): Dataset {
  const file = { uri: 's3://b/d/rows.parquet', bytes: slices * 2 * GIB, etag: 'e', rows: 100 } as const;
  return { format, files: [file], columns: [{ name: 'a', type: 'VARCHAR' }], rows: 100 };
}

/** One part of all rows; `sent` are the rows that are records. */
function partOf(dataset: Dataset, sent: readonly number[]): Slice[] {
  const parts = [{ part_id: 'p00001', variant: 0, first_row: 0, rows: dataset.rows, records: sent.length }];
  return [{ slice: 0, parts, reads: readsOf(dataset, parts) }];
}

const beforeOf = (sent: readonly number[]) => async (rows: readonly number[]) =>
  rows.map((row) => sent.filter((record) => record < row).length);

test('a part that is larger than a Prepare takes is cut, each row and record once, and no slice is too large', async () => {
  const rows = fc.uniqueArray(fc.nat({ max: 99 }), { minLength: 1, maxLength: 100 });
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 2, max: 20 }), async (sent, size) => {
      const dataset = datasetOf(size);
      const cut = await cutLongParts(partOf(dataset, sent), {
        dataset,
        recordsBefore: beforeOf(sent),
        maxParts: undefined,
      });
      const parts = cut.flatMap((slice) => slice.parts);
      expect(parts.map(({ part_id }) => part_id)).toEqual(
        parts.map((_, at) => `p${String(at + 1).padStart(5, '0')}`),
      );
      let next = 0;
      for (const { first_row, rows: count, records } of parts) {
        expect([first_row, count <= Math.floor(100 / size)]).toEqual([next, true]);
        expect(records).toBe(sent.filter((row) => row >= first_row && row < first_row + count).length);
        next += count;
      }
      expect(next).toBe(100);
      for (const { parts: of, reads } of cut) {
        const inSlice = of.reduce((sum, part) => sum + part.rows, 0);
        expect(inSlice).toBeLessThanOrEqual(Math.floor(100 / size));
        expect(reads.reduce((sum, read) => sum + read.rows, 0)).toBe(inSlice);
      }
    }),
    { numRuns: 30 },
  );
});

test('a part that one Prepare takes stays as it is, and a text file stays with one slice', async () => {
  const sent = [3, 60];
  const small = datasetOf(0.5);
  const whole = partOf(small, sent);
  expect(
    await cutLongParts(whole, { dataset: small, recordsBefore: beforeOf(sent), maxParts: undefined }),
  ).toEqual(whole);
  const text = datasetOf(4, 'jsonl');
  const cut = await cutLongParts(partOf(text, sent), {
    dataset: text,
    recordsBefore: beforeOf(sent),
    maxParts: undefined,
  });
  expect(cut.map(({ parts }) => parts.map(({ records }) => records))).toEqual([[1, 0, 1, 0]]);
});

test('nothing is cut into more jobs than there may be', async () => {
  const dataset = datasetOf(4);
  const whole = partOf(dataset, [3, 60]);
  const request = { dataset, recordsBefore: beforeOf([3, 60]) };
  expect(await cutLongParts(whole, { ...request, maxParts: 1 })).toEqual(whole);
  expect((await cutLongParts(whole, { ...request, maxParts: 2 })).length).toBe(4);
});
