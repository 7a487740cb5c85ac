import { type PackingLimits, PILOT_MIN_PARTS, packRows } from '../../core/packing.ts';
import type { InvocationMode, PartSource, PartTurn, PreparedPart, WavePart } from '../../core/part.ts';
import type { RunStop } from '../../core/run-stop.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { ON_DEMAND_FACTOR } from '../../models/catalog/prices.ts';
import { faultOfPilot, faultOfWave } from './systematic-fault.ts';
import type { Turn } from './turns.ts';

/** What a run may cost, and has cost. */
export interface Budget {
  /** Infinity where the run input sets no limit. */
  maxUsd: number;
  spentUsd: number;
  /** Dollars that a record in a job is estimated to cost with the longest answer. */
  usdPerRecord: number;
}

/** What is known when a wave is decided. */
export interface WaveSituation {
  runUri: S3Uri;
  /** Waves done. */
  wave: number;
  prepared: readonly PreparedPart[];
  /** Every turn of every wave, in order. */
  turns: readonly Turn[];
  limits: PackingLimits;
  /** True: the first part goes alone. */
  pilot: boolean;
  /** Undefined where no price of the model is known. */
  budget: Budget | undefined;
  /** Why the run is being stopped already. */
  stop: RunStop | undefined;
  /** Faults up to this wave are not held against the run: it was started again after it. */
  forgivenWave: number;
}

/** The next wave; no parts where nothing is left to do. */
export interface WaveDecision {
  parts: WavePart[];
  /** Why nothing more may be sent; parts of the dataset that had no turn yet get one all the same, to say so. */
  stop: RunStop | undefined;
}

/** Decides the next wave: at first the dataset's parts, then what they still owe, repacked into full parts. */
export function decideWave(situation: WaveSituation): WaveDecision {
  const { wave, prepared, turns, pilot } = situation;
  const stop = situation.stop ?? faultStop(situation);
  const taken = new Set(turns.map(({ part }) => part.part_id));
  const waiting = prepared.filter(({ part_id }) => !taken.has(part_id));
  if (waiting.length > 0) {
    const first = waiting.find(({ records }) => records >= situation.limits.minRecords);
    const isPilot = pilot && wave === 0 && stop === undefined && waiting.length >= PILOT_MIN_PARTS;
    const chosen = isPilot && first !== undefined ? [first] : waiting;
    const parts = chosen.map(({ part_id, records, bytes }) => ({
      part_id,
      attempt: 1,
      records,
      bytes,
      sources: [],
    }));
    return { parts: toWaveParts(parts, situation), stop };
  }
  if (stop !== undefined) return { parts: [], stop };
  const parts = toWaveParts(repairParts(situation), situation);
  return withinBudget(parts, situation);
}

/** How so many records are run. */
export function modeOf(records: number, minRecordsPerJob: number): InvocationMode {
  if (records === 0) return 'none';
  return records < minRecordsPerJob ? 'on_demand' : 'batch';
}

function faultStop({ wave, turns, prepared, forgivenWave }: WaveSituation): RunStop | undefined {
  if (wave <= forgivenWave) return undefined;
  const turnsOf = (number: number) => turns.filter(({ part }) => part.wave === number);
  const last = turnsOf(wave);
  const [pilot] = last;
  const isPilot = wave === 1 && last.length === 1 && prepared.length >= PILOT_MIN_PARTS;
  const message =
    faultOfWave(last, turnsOf(wave - 1)) ??
    (isPilot && pilot !== undefined ? faultOfPilot(pilot) : undefined);
  return message === undefined ? undefined : { reason: 'systematic_fault', message };
}

type PartDraft = Pick<WavePart, 'part_id' | 'attempt' | 'records' | 'bytes' | 'sources'>;

/** What is owed over all parts, packed anew, each part in the order of the dataset. */
function repairParts({ wave, turns, limits }: WaveSituation): PartDraft[] {
  const repacked = new Set(turns.flatMap(({ part }) => part.sources.map(({ part_id }) => part_id)));
  const owing = turns.filter(({ part, ledger }) => ledger.owed.records > 0 && !repacked.has(part.part_id));
  const owed = owing.reduce((sum, { ledger }) => sum + ledger.owed.records, 0);
  const bytesPerRecord = Math.max(
    1,
    ...owing.map(({ ledger: { owed: ofPart } }) => Math.ceil(ofPart.bytes / ofPart.records)),
  );
  return packRows(owed, bytesPerRecord, limits).map(({ firstRow, rows }, index) => {
    const sources: PartSource[] = [];
    let start = 0;
    let attempt = 1;
    for (const { part, ledger } of owing) {
      const end = start + ledger.owed.records;
      const from = Math.max(start, firstRow);
      const to = Math.min(end, firstRow + rows);
      if (from < to) {
        sources.push({ part_id: part.part_id, owed_from: from - start, owed_count: to - from });
        attempt = Math.max(attempt, part.attempt + 1);
      }
      start = end;
    }
    const part_id = `w${wave + 1}p${String(index + 1).padStart(5, '0')}`;
    return { part_id, attempt, records: rows, bytes: rows * bytesPerRecord, sources };
  });
}

function toWaveParts(
  drafts: readonly PartDraft[],
  { runUri, wave, limits, budget }: WaveSituation,
): WavePart[] {
  let usd = budget?.spentUsd ?? 0;
  return drafts.map((draft) => {
    const mode = modeOf(draft.records, limits.minRecords);
    if (budget !== undefined) {
      usd += draft.records * budget.usdPerRecord * (mode === 'on_demand' ? ON_DEMAND_FACTOR : 1);
    }
    return {
      run_uri: runUri,
      ...draft,
      wave: wave + 1,
      mode,
      run_max_usd: budget === undefined ? null : usd,
    };
  });
}

/** Repairs are sent as a whole or not at all: a few rows at a time would be dear and slow. */
function withinBudget(parts: WavePart[], { budget }: WaveSituation): WaveDecision {
  const dollars = (usd: number) => `$${usd.toFixed(usd < 1 ? 4 : 2)}`;
  const most = parts.at(-1)?.run_max_usd;
  if (budget !== undefined && typeof most === 'number' && most > budget.maxUsd) {
    const records = parts.reduce((sum, part) => sum + part.records, 0);
    const message = `${records} records are owed another attempt, which could bring the cost to about ${dollars(most)}, over max_cost_usd ${dollars(budget.maxUsd)}; ${dollars(budget.spentUsd)} are spent. To send them, raise max_cost_usd and start the run again.`;
    return { parts: [], stop: { reason: 'budget', message } };
  }
  return { parts, stop: undefined };
}

/** Why a part is not sent, where it could cost more than the run may; undefined where it is affordable. */
export function overBudget({ run_max_usd }: PartTurn, maxCostUsd: number | undefined): string | undefined {
  if (maxCostUsd === undefined || run_max_usd === null || run_max_usd <= maxCostUsd) return undefined;
  return `With this part the run could have cost about $${run_max_usd.toFixed(4)}, over max_cost_usd ${maxCostUsd}, so it was not sent.`;
}
