/** Consecutive rows that one job gets. */
export interface RowRange {
  /** Global number of the first row, from 0. */
  firstRow: number;
  /** How many. */
  rows: number;
}

/** What packing must respect. */
export interface PackingLimits {
  minRecords: number;
  maxRecords: number;
  maxBytes: number;
  /** Jobs that may run at once: the length of a wave. */
  slots: number;
  /** Most parts; absent where there is no such limit. */
  maxParts?: number;
}

/**
 * Cuts `rows` rows into balanced parts: sizes differ by one at most, and where more parts than slots are needed
 * their number is rounded up to full waves, unless parts would fall under the minimum. Fewer rows than the
 * minimum are one part, for the on-demand way. `bytesPerRow` is an estimate; Prepare counts.
 */
export function packRows(rows: number, bytesPerRow: number, limits: PackingLimits): RowRange[] {
  if (rows === 0) return [];
  return balancedRanges({ firstRow: 0, rows }, partCount(rows, bytesPerRow, limits));
}

/** Cuts a range into `count` ranges, in order, whose sizes differ by one at most. */
export function balancedRanges({ firstRow, rows }: RowRange, count: number): RowRange[] {
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * rows) / count);
    return { firstRow: firstRow + start, rows: Math.floor(((index + 1) * rows) / count) - start };
  });
}

function partCount(rows: number, bytesPerRow: number, limits: PackingLimits): number {
  const { minRecords, maxRecords, maxBytes, slots, maxParts = Number.POSITIVE_INFINITY } = limits;
  const recordsThatFit = Math.max(1, Math.min(maxRecords, Math.floor(maxBytes / Math.max(1, bytesPerRow))));
  const needed = Math.ceil(rows / recordsThatFit);
  const mostAboveMinimum = Math.max(1, Math.floor(rows / minRecords));
  const fullWaves = needed > slots ? Math.ceil(needed / slots) * slots : needed;
  // A full last wave is worth having only while every part keeps the minimum and the user's limit allows it.
  return fullWaves <= Math.min(mostAboveMinimum, maxParts) ? fullWaves : needed;
}
