import type { RowRange } from '../core/packing.ts';
import type { Dataset, PlannedPart, Slice, SliceRead } from '../core/part.ts';

/**
 * Groups parts into slices, each for one Prepare. Parquet can be read from the middle, so its slices are short;
 * text files are read from their start, so one slice takes them all in one pass.
 */
export function cutSlices(dataset: Dataset, ranges: readonly RowRange[], rowsPerSlice: number): Slice[] {
  const parts = ranges.map(
    ({ firstRow, rows }, index): PlannedPart => ({ part_id: partIdOf(index), first_row: firstRow, rows }),
  );
  const limit = dataset.format === 'parquet' ? rowsPerSlice : Number.POSITIVE_INFINITY;
  const groups: PlannedPart[][] = [];
  let groupRows = 0;
  for (const part of parts) {
    const group = groups.at(-1);
    if (group === undefined || groupRows + part.rows > limit) {
      groups.push([part]);
      groupRows = part.rows;
    } else {
      group.push(part);
      groupRows += part.rows;
    }
  }
  return groups.map((group, slice) => ({ slice, parts: group, reads: readsOf(dataset, group) }));
}

/** Id of the nth part of the first wave, from 0. */
function partIdOf(index: number): string {
  return `p${String(index + 1).padStart(5, '0')}`;
}

/** The rows of each file that a run of consecutive parts needs. */
function readsOf({ files }: Dataset, parts: readonly PlannedPart[]): SliceRead[] {
  const start = parts[0]?.first_row ?? 0;
  const end = parts.reduce((row, part) => Math.max(row, part.first_row + part.rows), start);
  const reads: SliceRead[] = [];
  let fileStart = 0;
  for (const { uri, rows } of files) {
    const from = Math.max(start, fileStart);
    const to = Math.min(end, fileStart + rows);
    if (from < to) reads.push({ uri, first_row_in_file: from - fileStart, rows: to - from, first_row: from });
    fileStart += rows;
  }
  return reads;
}
