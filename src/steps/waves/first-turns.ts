import { type PackingLimits, PILOT_MIN_PARTS } from '../../core/plan/packing.ts';
import type { PreparedPart } from '../../core/plan/part.ts';
import { faultOfPilot } from './systematic-fault.ts';
import type { Turn } from './turns.ts';

/** One of the ways that the rows are asked, as far as its parts' turns go. */
export interface WaveVariant {
  /** Undefined where it is the only one. */
  name: string | undefined;
  modelId: string;
  /** Jobs that its model may have at once, whichever variants they are of. */
  slots: number;
}

/** What decides which parts have their first turn next. */
export interface FirstTurns {
  /** Waves done. */
  wave: number;
  limits: PackingLimits;
  /** What the rows are asked, in the order of the plan. */
  variants: readonly WaveVariant[];
  /** True: the first part goes alone; of several variants, the first of each. */
  pilot: boolean;
  /** Rows of a pilot after which the run is to stop; undefined where it is not. */
  pilotRows?: number | undefined;
}

/** Parts that are sent next of those that had no turn: all that models have slots for, or a pilot of each variant. */
export function sentNext(
  waiting: readonly PreparedPart[],
  { wave, pilot, pilotRows, limits, variants }: FirstTurns,
): readonly PreparedPart[] {
  const least = pilotRows === undefined ? limits.minRecords : 1;
  const ofVariants = variants.map((_, index) => waiting.filter(({ variant }) => variant === index));
  const isPilot =
    pilotRows !== undefined ||
    (pilot && wave === 0 && ofVariants.some(({ length }) => length >= PILOT_MIN_PARTS));
  const firsts = ofVariants.flatMap((parts) => parts.find(({ records }) => records >= least) ?? []);
  return isPilot && firsts.length > 0 ? firsts : withinSlots(waiting, variants);
}

/**
 * As many parts as each of several models has slots for, those of the same rows together: so none of them has more jobs than its quota
 * while others have fewer. All parts where there is one model, whose quota the state machine keeps.
 */
function withinSlots(
  waiting: readonly PreparedPart[],
  variants: readonly WaveVariant[],
): readonly PreparedPart[] {
  if (new Set(variants.map(({ modelId }) => modelId)).size < 2) return waiting;
  const taken = new Map<string, number>();
  return waiting
    .toSorted((a, b) => a.first_row - b.first_row || a.variant - b.variant)
    .filter(({ variant }) => {
      const { modelId, slots } = variants[variant] as WaveVariant;
      const before = taken.get(modelId) ?? 0;
      taken.set(modelId, before + 1);
      return before < slots;
    });
}

/** The parts that there are, and the turns that they have had. */
interface TurnsSoFar {
  prepared: readonly PreparedPart[];
  turns: readonly Turn[];
}

/** The turns of the parts that went alone, at most one of each variant; none where all went at once. */
export function pilotsOf({ turns, prepared }: TurnsSoFar): readonly Turn[] {
  const first = turns.filter(({ part }) => part.wave === 1);
  const wereAlone = first.every(
    ({ part }, index) => first.findIndex((turn) => turn.part.variant === part.variant) === index,
  );
  const isWorthwhile = first.some(
    ({ part }) => prepared.filter(({ variant }) => variant === part.variant).length >= PILOT_MIN_PARTS,
  );
  return wereAlone && isWorthwhile ? first : [];
}

/** Why a run must not go on after its pilots: over half of the records of one of them failed. */
export function faultOfPilots(situation: TurnsSoFar & Pick<FirstTurns, 'variants'>): string | undefined {
  for (const pilot of pilotsOf(situation)) {
    const fault = faultOfPilot(pilot);
    const name = situation.variants[pilot.part.variant]?.name;
    if (fault !== undefined) return name === undefined ? fault : `Variant "${name}": ${fault}`;
  }
  return undefined;
}
