import { balancedRanges } from '../../core/plan/packing.ts';
import type { Dataset, PlannedPart, Slice } from '../../core/plan/part.ts';
import { readsOf } from '../../core/plan/slice-reads.ts';
import { rowsOfSlice } from './slices.ts';

/** How many records there are before each of some rows. */
export type RecordsBefore = (rows: readonly number[]) => Promise<number[]>;

/**
 * Cuts parts whose records are so far apart that their rows are more than one Prepare takes: a part of few new rows among many
 * that are answered already may be most of a dataset. A piece without records is no job; others are small ones, which is why
 * nothing is cut where `maxParts` of them are not enough.
 */
export async function cutLongParts(
  slices: readonly Slice[],
  { dataset, recordsBefore, maxParts = Number.POSITIVE_INFINITY }: LongPartsRequest,
): Promise<Slice[]> {
  const most = rowsOfSlice(dataset);
  if (slices.every(({ parts }) => parts.every(({ rows }) => rows <= most))) return [...slices];
  const pieces = slices.map(({ parts }) => parts.flatMap((part) => piecesOf(part, most)));
  const all = pieces.flat();
  const last = all.at(-1);
  const before = await recordsBefore([
    ...all.map(({ first_row }) => first_row),
    (last?.first_row ?? 0) + (last?.rows ?? 0),
  ]);
  const counted = new Map(
    all.map((piece, at) => [piece, { ...piece, records: (before[at + 1] ?? 0) - (before[at] ?? 0) }]),
  );
  const jobs = [...counted.values()].filter(({ records }) => records > 0);
  if (jobs.length > maxParts) return [...slices];
  let number = 0;
  const named = pieces.map((ofSlice) =>
    ofSlice.flatMap((piece) => {
      const found = counted.get(piece);
      number += 1;
      return found === undefined ? [] : { ...found, part_id: `p${String(number).padStart(5, '0')}` };
    }),
  );
  // A text file is read from its start, by one slice.
  const groups = dataset.format === 'parquet' ? named.flatMap((ofSlice) => groupsOf(ofSlice, most)) : named;
  return groups.map((parts, slice): Slice => ({ slice, parts, reads: readsOf(dataset, parts) }));
}

/** What long parts are cut by. */
export interface LongPartsRequest {
  dataset: Dataset;
  recordsBefore: RecordsBefore;
  maxParts: number | undefined;
}

function piecesOf(part: PlannedPart, most: number): PlannedPart[] {
  if (part.rows <= most) return [part];
  const range = { firstRow: part.first_row, rows: part.rows };
  return balancedRanges(range, Math.ceil(part.rows / most)).map(({ firstRow, rows }) => ({
    ...part,
    first_row: firstRow,
    rows,
  }));
}

/** Parts, in their order, that one Prepare takes together. */
function groupsOf(parts: readonly PlannedPart[], most: number): PlannedPart[][] {
  const groups: PlannedPart[][] = [];
  let rowsOfGroup = 0;
  for (const part of parts) {
    const group = groups.at(-1);
    if (group === undefined || rowsOfGroup + part.rows > most) {
      groups.push([part]);
      rowsOfGroup = part.rows;
    } else {
      group.push(part);
      rowsOfGroup += part.rows;
    }
  }
  return groups;
}
