import type { Dataset, PlannedPart, SliceRead } from './part.ts';

/** The rows of each file that a run of consecutive parts needs. */
export function readsOf({ files }: Dataset, parts: readonly PlannedPart[]): SliceRead[] {
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
