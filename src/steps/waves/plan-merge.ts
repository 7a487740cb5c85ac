import type { MergePlan, WavePart } from '../../core/plan/part.ts';
import { needsMerge, repackedParts, type Turn } from './turns.ts';

type MergedPart = MergePlan['parts'][number];
type Repair = MergedPart['repairs'][number];

/** The parts of the dataset whose result is not final yet, each with the repair parts that its rows may be in. */
export function planMerge(turns: readonly Turn[]): MergePlan {
  const repacked = repackedParts(turns);
  const families = familiesOf(turns);
  const parts = turns
    .filter((turn) => turn.part.sources.length === 0 && needsMerge(turn, repacked))
    .map(
      ({ part: { part_id, variant }, ledger: { answered_elsewhere = 0 } }): MergedPart => ({
        part_id,
        variant,
        repairs: families.get(part_id) ?? [],
        elsewhere: answered_elsewhere > 0,
      }),
    );
  return { parts };
}

/**
 * The parts that Merge has an item for: those whose result is not final yet; where there are several variants, every part of the first
 * one, beside which the others stand.
 */
export function mergedItems(
  { parts }: MergePlan,
  turns: readonly Turn[],
  isSideBySide: boolean,
): Pick<MergedPart, 'part_id' | 'variant'>[] {
  if (!isSideBySide) return parts;
  return turns
    .map(({ part }) => part)
    .filter(({ variant, sources }) => variant === 0 && sources.length === 0)
    .toSorted((a, b) => (a.part_id < b.part_id ? -1 : 1));
}

/** For each part of the dataset, where in which repair parts its rows are; in one pass over all turns. */
function familiesOf(turns: readonly Turn[]): ReadonlyMap<string, Repair[]> {
  const families = new Map<string, Repair[]>();
  // For each repair part, the parts of the dataset that its rows are of.
  const ancestors = new Map<string, Set<string>>();
  for (const { part } of turns) {
    const own = new Set<string>();
    for (const { source, firstRow } of placedSources(part)) {
      for (const ancestor of ancestors.get(source.part_id) ?? [source.part_id]) {
        own.add(ancestor);
        const family = families.get(ancestor) ?? [];
        families.set(ancestor, family);
        const last = family.at(-1);
        if (last?.part_id === part.part_id) last.rows = firstRow + source.owed_count - last.first_row;
        else family.push({ part_id: part.part_id, first_row: firstRow, rows: source.owed_count });
      }
    }
    if (own.size > 0) ancestors.set(part.part_id, own);
  }
  return families;
}

/** A repair part's rows are those of its sources, one after the other. */
function placedSources({ sources }: WavePart): { source: WavePart['sources'][number]; firstRow: number }[] {
  let firstRow = 0;
  return sources.map((source) => {
    const placed = { source, firstRow };
    firstRow += source.owed_count;
    return placed;
  });
}
