import pLimit from 'p-limit';
import { type PreparedPart, PreparedParts, type WavePart, WaveParts } from '../../core/plan/part.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { isFinal, PartLedger } from '../../core/run/ledger.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJson, readJsonIfPresent } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';

/** Small objects read at once. */
const CONCURRENT_READS = 16;

/** One part's turn in one wave, and what it left. */
export interface Turn {
  part: WavePart;
  ledger: PartLedger;
}

/** A wave as its files tell it: its turns, and the parts that have no ledger yet. */
export interface WaveTurns {
  turns: Turn[];
  missing: WavePart[];
}

/** The parts that Prepare left, in the order of their rows. */
export async function readPrepared(
  plan: RunPlan,
  layout: RunLayout,
  { store }: Pick<StepDeps, 'store'>,
): Promise<PreparedPart[]> {
  const slices = await pLimit(CONCURRENT_READS).map(
    Array.from({ length: plan.slices }, (_, slice) => slice),
    (slice) => readJson(store, layout.sliceParts(slice), PreparedParts),
  );
  return slices.flat();
}

/** A wave's turns, or undefined where that wave was never decided. */
export async function readWave(
  wave: number,
  layout: RunLayout,
  { store }: Pick<StepDeps, 'store'>,
): Promise<WaveTurns | undefined> {
  const parts = await readJsonIfPresent(store, layout.waveParts(wave), WaveParts);
  if (parts === undefined) return undefined;
  const ledgers = await pLimit(CONCURRENT_READS).map(parts, ({ part_id }) =>
    readJsonIfPresent(store, layout.ledger(part_id), PartLedger),
  );
  const result: WaveTurns = { turns: [], missing: [] };
  for (const [index, part] of parts.entries()) {
    const ledger = ledgers[index];
    if (ledger === undefined) result.missing.push(part);
    else result.turns.push({ part, ledger });
  }
  return result;
}

/** Ids of the parts of which records were sent again. */
export function repackedParts(turns: readonly Turn[]): ReadonlySet<string> {
  return new Set(turns.flatMap(({ part }) => part.sources.map(({ part_id }) => part_id)));
}

/** True where a part's rows are final only once Merge has written them: some of them were sent again, or wait for others'. */
export function needsMerge({ part, ledger }: Turn, repacked: ReadonlySet<string>): boolean {
  return !isFinal(ledger) || repacked.has(part.part_id);
}
