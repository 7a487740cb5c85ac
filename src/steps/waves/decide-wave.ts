import { type Forgiveness, owedUnder } from '../../core/jobs/retry-policy.ts';
import { packRows } from '../../core/plan/packing.ts';
import {
  type InvocationMode,
  type PartSource,
  type PartTurn,
  type PreparedPart,
  toWaveItem,
  type WavePart,
} from '../../core/plan/part.ts';
import { affordableParts, type PartUsd, type RunBudget, reckonedUsd } from '../../core/run/budget.ts';
import type { RunResumed, RunStop } from '../../core/run/run-stop.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type FirstTurns, faultOfPilots, pilotsOf, sentNext } from './first-turns.ts';
import { type CostedPart, partUsd, type VariantCost } from './part-cost.ts';
import {
  faultOfIdleWaves,
  faultOfPilot,
  faultOfTurn,
  faultOfWave,
  isSchemaRefused,
} from './systematic-fault.ts';
import { repackedParts, type Turn } from './turns.ts';

/** What a run may cost, and has cost; all that was sent has ended when a wave is decided. */
export interface Budget extends Omit<RunBudget, 'openUsd'> {
  /** What the parts of each variant may cost, in the order of the plan. */
  costs: readonly VariantCost[];
}

/** What is known when a wave is decided. */
export interface WaveSituation extends FirstTurns {
  runUri: S3Uri;
  prepared: readonly PreparedPart[];
  /** Every turn of every wave, in order. */
  turns: readonly Turn[];
  /** Undefined where no price of the model is known. */
  budget: Budget | undefined;
  /** Why the run is being stopped already. */
  stop: RunStop | undefined;
  /** The last time that the run was taken up: what went wrong before is not held against it. */
  resumed: RunResumed;
  /** How often a record may be sent at most. */
  maxAttempts: number;
  /** What a record may have more of when it is sent again, with the bad answer it got. */
  reask?: { bytes: number; tokens: number } | undefined;
}

/** What decides which records are owed. */
type History = Pick<WaveSituation, 'turns' | 'prepared' | 'resumed' | 'maxAttempts'>;

/** The next wave; no parts where nothing is left to do. */
export interface WaveDecision {
  parts: WavePart[];
  /** Why nothing more may be sent; parts of the dataset that had no turn yet get one all the same, to say so. */
  stop: RunStop | undefined;
}

/** Decides the next wave: at first the dataset's parts, then what they still owe, repacked into full parts. */
export function decideWave(situation: WaveSituation): WaveDecision {
  const { prepared, turns } = situation;
  const stop = situation.stop ?? faultStop(situation) ?? pilotStop(situation);
  const taken = new Set(turns.map(({ part }) => part.part_id));
  const waiting = prepared.filter(({ part_id }) => !taken.has(part_id));
  if (waiting.length > 0) {
    if (stop !== undefined) return { parts: toWaveParts(draftsOf(waiting), situation), stop };
    const drafts = draftsOf(sentNext(waiting, situation));
    const affordable = countAffordable(drafts, situation);
    // The others may go once these have cost less than they might have; where none may, all get a turn that says so.
    const next = affordable === 0 ? draftsOf(waiting) : drafts.slice(0, affordable);
    return { parts: toWaveParts(next, situation), stop };
  }
  if (stop !== undefined) return { parts: [], stop };
  return repairWave(situation);
}

/** Parts of the dataset that have their first turn. */
function draftsOf(parts: readonly PreparedPart[]): PartDraft[] {
  return parts.map(({ part_id, variant, records, bytes }) => ({
    part_id,
    variant,
    attempt: 1,
    records,
    bytes,
    sources: [],
  }));
}

/** The end of a pilot that was wanted, where something is left to send. */
function pilotStop(situation: WaveSituation): RunStop | undefined {
  const { wave, prepared, turns, pilotRows } = situation;
  if (pilotRows === undefined || wave === 0) return undefined;
  const taken = new Set(turns.map(({ part }) => part.part_id));
  const isDone = prepared.every(({ part_id }) => taken.has(part_id)) && owingParts(situation).length === 0;
  if (isDone) return undefined;
  const message =
    'The pilot is done, and its answers are kept. To send the other rows, start the run again without pilot_rows.';
  return { reason: 'pilot', message };
}

/** How a number of records is run. */
export function modeOf(records: number, minRecordsPerJob: number): InvocationMode {
  if (records === 0) return 'none';
  return records < minRecordsPerJob ? 'on_demand' : 'batch';
}

function faultStop(situation: WaveSituation): RunStop | undefined {
  const { wave, turns, resumed, maxAttempts } = situation;
  if (wave <= resumed.wave) return undefined;
  const turnsOf = (number: number) => turns.filter(({ part }) => part.wave === number);
  const last = turnsOf(wave);
  const since = Array.from({ length: wave - resumed.wave }, (_, index) => turnsOf(wave - index));
  const message =
    faultOfWave(last, turnsOf(wave - 1)) ??
    (wave === 1 ? faultOfPilots(situation) : undefined) ??
    faultOfIdleWaves(since, maxAttempts);
  return message === undefined ? undefined : { reason: 'systematic_fault', message };
}

/**
 * Which client errors of a part are held against its records no more: all where they stopped the run, which somebody has
 * taken up since; what was the account's fault where that was at any time before.
 */
function forgivenessOf(turn: Turn, situation: History): Forgiveness {
  const { resumed } = situation;
  if (turn.part.wave > resumed.wave) return 'nothing';
  if (resumed.fault !== true) return 'account';
  const isPilot = pilotsOf(situation).includes(turn) && faultOfPilot(turn) !== undefined;
  return isPilot || faultOfTurn({ ...turn, part: toWaveItem(turn.part) }) !== undefined
    ? 'client'
    : 'account';
}

type PartDraft = Pick<WavePart, 'part_id' | 'variant' | 'attempt' | 'records' | 'bytes' | 'sources'>;

/** How many records of a part are owed another attempt, and of these whose error is forgiven. */
interface Owing {
  turn: Turn;
  owed: number;
  forgiven: Forgiveness;
}

/** The parts that owe records which no later part has. */
function owingParts(situation: History): Owing[] {
  const { turns, maxAttempts } = situation;
  const repacked = repackedParts(turns);
  return turns
    .filter(({ part }) => !repacked.has(part.part_id))
    .map((turn): Owing => {
      const forgiven = forgivenessOf(turn, situation);
      return { turn, owed: owedUnder(turn.ledger, { maxAttempts, forgiven }), forgiven };
    })
    .filter(({ owed }) => owed > 0);
}

/** How many records would be sent, were a run taken up after this. */
export function countOwedSince(since: Pick<WaveSituation, 'turns' | 'resumed' | 'maxAttempts'>): number {
  return owingParts({ ...since, prepared: [] }).reduce((sum, { owed }) => sum + owed, 0);
}

/**
 * What is owed: all of it, or what the earliest parts owe as far as it is affordable and makes jobs, since a few rows at a time would be
 * dear and slow. A part's owed records go together.
 */
function repairWave(situation: WaveSituation): WaveDecision {
  const owing = owingParts(situation);
  const all = packRepairs(owing, situation);
  if (isAffordable(all, situation)) return { parts: toWaveParts(all, situation), stop: undefined };
  let [most, tooMany] = [0, owing.length];
  while (tooMany - most > 1) {
    const tried = Math.floor((most + tooMany) / 2);
    if (isAffordable(packRepairs(owing.slice(0, tried), situation), situation)) most = tried;
    else tooMany = tried;
  }
  const drafts = packRepairs(owing.slice(0, most), situation);
  const areJobs = drafts.every(({ records }) => modeOf(records, situation.limits.minRecords) === 'batch');
  if (drafts.length > 0 && areJobs) return { parts: toWaveParts(drafts, situation), stop: undefined };
  return { parts: [], stop: budgetStop(all, situation) };
}

/** What these parts owe, packed anew by variant, each part in the order of the dataset. */
function packRepairs(owing: readonly Owing[], situation: WaveSituation): PartDraft[] {
  const { wave } = situation;
  const variants = [...new Set(owing.map(({ turn }) => turn.part.variant))].sort((a, b) => a - b);
  return variants
    .flatMap((variant) =>
      packOwed(
        owing.filter(({ turn }) => turn.part.variant === variant),
        situation,
      ).map((draft) => ({ ...draft, variant })),
    )
    .map((draft, index) => ({ ...draft, part_id: `w${wave + 1}p${String(index + 1).padStart(5, '0')}` }));
}

/** Parts of what is owed, which have no ids yet. */
function packOwed(
  owing: readonly Owing[],
  { limits, reask }: WaveSituation,
): Omit<PartDraft, 'part_id' | 'variant'>[] {
  const owed = owing.reduce((sum, part) => sum + part.owed, 0);
  const bytesPerRecord =
    Math.max(1, ...owing.map(({ turn }) => bytesPerRecordOf(turn))) + (reask?.bytes ?? 0);
  return packRows(owed, bytesPerRecord, limits).map(({ firstRow, rows }) => {
    const sources: PartSource[] = [];
    let start = 0;
    let attempt = 1;
    for (const { turn, owed: ofPart, forgiven } of owing) {
      const end = start + ofPart;
      const from = Math.max(start, firstRow);
      const to = Math.min(end, firstRow + rows);
      if (from < to) {
        sources.push({
          part_id: turn.part.part_id,
          owed_from: from - start,
          owed_count: to - from,
          ...(forgiven === 'nothing' ? {} : { forgiven }),
        });
        attempt = Math.max(attempt, turn.part.attempt + 1);
      }
      start = end;
    }
    return { attempt, records: rows, bytes: rows * bytesPerRecord, sources };
  });
}

function bytesPerRecordOf({ part, ledger: { owed } }: Turn): number {
  return owed.records > 0
    ? Math.ceil(owed.bytes / owed.records)
    : Math.ceil(part.bytes / Math.max(1, part.records));
}

function toWaveParts(drafts: readonly PartDraft[], situation: WaveSituation): WavePart[] {
  const { runUri, wave, limits, budget, maxAttempts, turns } = situation;
  const reckoned =
    budget === undefined
      ? undefined
      : reckonedUsd(usdOf(drafts, budget, situation), { ...budget, openUsd: 0 });
  const refused = new Set(
    turns.filter(({ ledger }) => isSchemaRefused(ledger)).map(({ part }) => part.variant),
  );
  return drafts.map((draft, index) => ({
    run_uri: runUri,
    ...draft,
    wave: wave + 1,
    mode: modeOf(draft.records, limits.minRecords),
    max_attempts: maxAttempts,
    ...(refused.has(draft.variant) ? { schema_form: 'prompt' as const } : {}),
    run_max_usd: reckoned?.[index] ?? null,
  }));
}

/** Dollars that each of these parts may take. */
function usdOf(
  drafts: readonly PartDraft[],
  { costs }: Budget,
  { limits, reask }: Pick<WaveSituation, 'limits' | 'reask'>,
): PartUsd[] {
  return drafts.map(({ variant, records, bytes, sources }) => {
    const isAgain = sources.length > 0 && reask !== undefined;
    const part: CostedPart = {
      mode: modeOf(records, limits.minRecords),
      records,
      bytes: isAgain ? Math.max(0, bytes - records * reask.bytes) : bytes,
      moreInput: isAgain ? records * reask.tokens : 0,
    };
    return partUsd(part, costs[variant] as VariantCost);
  });
}

/** How many of these parts may be sent, from the first one on. */
function countAffordable(drafts: readonly PartDraft[], situation: WaveSituation): number {
  const { budget } = situation;
  if (budget === undefined) return drafts.length;
  return affordableParts(usdOf(drafts, budget, situation), { ...budget, openUsd: 0 });
}

function isAffordable(drafts: readonly PartDraft[], situation: WaveSituation): boolean {
  return countAffordable(drafts, situation) === drafts.length;
}

/** Why nothing of what is owed is sent. */
function budgetStop(drafts: readonly PartDraft[], situation: WaveSituation): RunStop | undefined {
  const { budget } = situation;
  if (budget === undefined) return undefined;
  const dollars = (usd: number) => `$${usd.toFixed(usd < 1 ? 4 : 2)}`;
  const most = reckonedUsd(usdOf(drafts, budget, situation), { ...budget, openUsd: 0 }).at(-1) as number;
  const records = drafts.reduce((sum, part) => sum + part.records, 0);
  const message = `${records} records are owed another attempt, which could bring the cost to about ${dollars(most)}, over max_cost_usd ${dollars(budget.maxUsd)}; ${dollars(budget.spentUsd)} are spent. To send them, raise max_cost_usd and start the run again.`;
  return { reason: 'budget', message };
}

/** Why a part is not sent, where it could cost more than the run may; undefined where it is affordable. */
export function overBudget({ run_max_usd }: PartTurn, maxCostUsd: number | undefined): string | undefined {
  if (maxCostUsd === undefined || run_max_usd === null || run_max_usd <= maxCostUsd) return undefined;
  return `With this part the run could have cost about $${run_max_usd.toFixed(4)}, over max_cost_usd ${maxCostUsd}, so it was not sent.`;
}
