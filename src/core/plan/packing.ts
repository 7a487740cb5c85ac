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
  /** Fewest records of a part that is made only because a slot is idle; absent where none is. */
  spreadRecords?: number;
}

/** Fewest records of a job that is made only because a slot is idle: half an hour of one, at the pace of nine hours for 50,000. */
export const DEFAULT_SPREAD_RECORDS = 2_500;

/**
 * Cuts `rows` rows into balanced parts: sizes differ by one at most. Idle slots are filled, down to `spreadRecords` a part:
 * jobs cost the same however many there are, and end sooner. Where more parts than slots are needed their number is
 * rounded up to full waves, unless parts would fall under the minimum or be more than `maxParts`.
 *
 * The records and bytes that fit into a job come first: they may need more parts than `maxParts`; `rowsThatFit`
 * says how many rows do not. Fewer rows than the minimum are one part, for the on-demand way. Where no balance
 * keeps the minimum (150 rows, 100 to a job), all parts but the last are full, so that few rows go that way.
 * `bytesPerRow` is an estimate; Prepare counts.
 */
export function packRows(rows: number, bytesPerRow: number, limits: PackingLimits): RowRange[] {
  if (rows === 0) return [];
  const size = rowsPerPart(bytesPerRow, limits);
  const needed = Math.ceil(rows / size);
  const mostAboveMinimum = Math.floor(rows / limits.minRecords);
  if (needed > mostAboveMinimum && needed > 1 && size >= limits.minRecords) {
    const fullRows = (needed - 1) * size;
    return [
      ...balancedRanges({ firstRow: 0, rows: fullRows }, needed - 1),
      { firstRow: fullRows, rows: rows - fullRows },
    ];
  }
  const most = Math.min(mostAboveMinimum, limits.maxParts ?? Number.POSITIVE_INFINITY);
  const spread = Math.min(spreadParts(rows, limits), most);
  const fullWaves =
    needed > limits.slots ? Math.ceil(needed / limits.slots) * limits.slots : Math.max(needed, spread);
  // A full last wave is worth having only while every part keeps the minimum and the user's limit allows it.
  return balancedRanges({ firstRow: 0, rows }, fullWaves <= most ? fullWaves : needed);
}

/** Parts that idle slots could have, at `spreadRecords` each; 0 where none is made for them. */
function spreadParts(rows: number, { slots, minRecords, spreadRecords }: PackingLimits): number {
  if (spreadRecords === undefined) return 0;
  return Math.min(slots, Math.floor(rows / Math.max(minRecords, spreadRecords)));
}

/**
 * Packs groups of rows that no part may straddle, each as `packRows` would, and all of them together into full waves
 * where every part keeps the minimum. The group with the largest parts is the next to get one more.
 */
export function packGroups(
  groups: readonly RowRange[],
  bytesPerRow: number,
  limits: PackingLimits,
): RowRange[][] {
  const { slots, minRecords, spreadRecords = minRecords } = limits;
  const packed = groups.map((group) => {
    const parts = packRange(group, bytesPerRow, alone(limits));
    return { group, parts, count: parts.length };
  });
  const total = packed.reduce((sum, { parts }) => sum + parts.length, 0);
  const rows = groups.reduce((sum, group) => sum + group.rows, 0);
  const isFull = total >= slots;
  const wanted = isFull ? Math.ceil(total / slots) * slots : Math.max(total, spreadParts(rows, limits));
  const most = limits.maxParts ?? Number.POSITIVE_INFINITY;
  // Full waves are worth having only as a whole; idle slots one by one.
  if (isFull && wanted > most) return packed.map(({ parts }) => parts);
  const least = isFull ? minRecords : Math.max(minRecords, spreadRecords);
  for (let parts = total; parts < Math.min(wanted, most); parts += 1) {
    const mayBeCut = packed.filter(({ group, count }) => Math.floor(group.rows / (count + 1)) >= least);
    const [first] = mayBeCut;
    if (first === undefined) {
      if (isFull) return packed.map((group) => group.parts);
      break;
    }
    mayBeCut.reduce((found, other) => (partRows(other) > partRows(found) ? other : found), first).count += 1;
  }
  return packed.map(({ group, parts, count }) =>
    count > parts.length ? balancedRanges(group, count) : parts,
  );
}

/** The limits of a group that is one of several: no slot is idle before all of them are packed. */
function alone({ spreadRecords: _, ...limits }: PackingLimits): PackingLimits {
  return { ...limits, slots: Number.POSITIVE_INFINITY };
}

/** Rows of each part, where a group is cut into this many. */
function partRows({ group, count }: { group: RowRange; count: number }): number {
  return group.rows / Math.max(1, count);
}

function packRange({ firstRow, rows }: RowRange, bytesPerRow: number, limits: PackingLimits): RowRange[] {
  return packRows(rows, bytesPerRow, limits).map((part) => ({ ...part, firstRow: firstRow + part.firstRow }));
}

/** Records of a pilot: enough to show that most fail, and done in minutes where a full part takes hours. */
export const PILOT_RECORDS = 500;
/** So few parts go at once: a pilot would take longer than it could save. */
export const PILOT_MIN_PARTS = 3;

/**
 * How many rows to cut off in front as a part of their own, for a run's pilot; 0 where the first part serves as it is:
 * parts are few or hardly larger, or the user wants no more of them.
 */
export function pilotRows(parts: readonly RowRange[], { minRecords, maxParts }: PackingLimits): number {
  const rows = Math.max(PILOT_RECORDS, minRecords);
  const isWorthwhile = (parts[0]?.rows ?? 0) > 2 * rows && parts.length >= PILOT_MIN_PARTS;
  return isWorthwhile && parts.length < (maxParts ?? Number.POSITIVE_INFINITY) ? rows : 0;
}

/** Cuts `rows` rows into full parts and a last one of what is left: what balanced packing is measured against. */
export function packFull(rows: number, rowsPerFullPart: number): RowRange[] {
  return Array.from({ length: Math.ceil(rows / rowsPerFullPart) }, (_, index) => ({
    firstRow: index * rowsPerFullPart,
    rows: Math.min(rowsPerFullPart, rows - index * rowsPerFullPart),
  }));
}

/** The most rows that `maxParts` parts take. */
export function rowsThatFit(bytesPerRow: number, limits: PackingLimits): number {
  return limits.maxParts === undefined
    ? Number.POSITIVE_INFINITY
    : limits.maxParts * rowsPerPart(bytesPerRow, limits);
}

/** Cuts a range into `count` ranges, in order, whose sizes differ by one at most. */
export function balancedRanges({ firstRow, rows }: RowRange, count: number): RowRange[] {
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor((index * rows) / count);
    return { firstRow: firstRow + start, rows: Math.floor(((index + 1) * rows) / count) - start };
  });
}

/** Rows that fit into one part; one at least, however long. */
export function rowsPerPart(bytesPerRow: number, { maxRecords, maxBytes }: PackingLimits): number {
  return Math.max(1, Math.min(maxRecords, Math.floor(maxBytes / Math.max(1, bytesPerRow))));
}
