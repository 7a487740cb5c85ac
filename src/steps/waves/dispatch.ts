import pLimit from 'p-limit';
import { z } from 'zod';
import {
  DamagedFileError,
  DiskFullError,
  LedgerMismatchError,
  OUTPUT_NOT_READY,
  UnreadableOutputError,
} from '../../core/errors.ts';
import { type BatchQuotas, jobsAtOnce, recordsPerJobLimit } from '../../core/jobs/quotas.ts';
import { DEFAULT_SPREAD_RECORDS } from '../../core/plan/packing.ts';
import { type MergeItem, toWaveItem, type WavePart, WaveParts } from '../../core/plan/part.ts';
import { BYTES_PER_TOKEN, isSideBySide, pricedModelOf, type RunPlan } from '../../core/plan/run-plan.ts';
import { RunResumed } from '../../core/run/run-stop.ts';
import { RunSummary } from '../../core/run/summary.ts';
import { parseS3Uri, type S3Uri } from '../../core/s3-uri.ts';
import { DEFAULT_MAX_TOKENS } from '../../models/adapters/model-adapter.ts';
import { pricesOfRun, type RunPrice } from '../../models/catalog/prices.ts';
import { SHOWN_CHARACTERS } from '../../rows/collect/bad-answers.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import {
  readJson,
  readJsonIfPresent,
  writeJson,
  writeJsonIfAbsent,
  writeMapItems,
} from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { PartFault, textOfFault } from '../part/part-fault.ts';
import { type PlannedRun, readPlan } from '../run/read-plan.ts';
import { readStop } from '../run/read-stop.ts';
import { RunState } from '../run/run-state.ts';
import { type Budget, decideWave, type WaveDecision, type WaveSituation } from './decide-wave.ts';
import { spentAtMost, variantCost } from './part-cost.ts';
import { mergedItems, planMerge } from './plan-merge.ts';
import { readPrepared, readWave, type Turn } from './turns.ts';

/** What Dispatch decided: another wave, or that results are to be merged, or the end. */
export const DispatchResult = RunState.extend({
  decision: z.enum(['run', 'merge', 'finish']),
  /** The items of the Map state that is next. */
  items_key: z.string(),
});
export type DispatchResult = z.infer<typeof DispatchResult>;

/**
 * Decides the next wave from what is still owed, and writes it; a wave that is written is never decided again, and
 * one that is done is passed over. Of a run that has ended, nothing is decided any more.
 */
export async function dispatch(state: RunState, deps: StepDeps): Promise<DispatchResult> {
  const run = await readPlan(state.run_uri, deps);
  const { layout } = run;
  // What has its summary has ended, even if a cancel that came too late left something owed.
  const ended = await readJsonIfPresent(deps.store, layout.summary, RunSummary);
  if (ended !== undefined) {
    const { waves } = ended;
    return toResult(state, { wave: waves, decision: 'finish', itemsUri: layout.mergeItems(waves) });
  }
  const turns: Turn[] = [];
  let wave = 0;
  for (;;) {
    const next = await readWave(wave + 1, layout, deps);
    if (next === undefined) break;
    if (next.missing.length > 0) {
      if (state.wave > wave) await failUncollected(next.missing, layout, deps);
      return toResult(state, {
        wave: wave + 1,
        decision: 'run',
        itemsUri: await writeItems(wave + 1, layout, deps),
      });
    }
    turns.push(...next.turns);
    wave += 1;
  }
  const { parts, stop } = await decide({ run, state, wave, turns }, deps);
  if (stop !== undefined && stop.reason !== 'cancelled')
    await writeJsonIfAbsent(deps.store, layout.stop, stop);
  if (parts.length > 0) {
    // Whatever another call of this step has written meanwhile is the wave.
    await writeJsonIfAbsent(deps.store, layout.waveParts(wave + 1), parts);
    return toResult(state, {
      wave: wave + 1,
      decision: 'run',
      itemsUri: await writeItems(wave + 1, layout, deps),
    });
  }
  const merging = planMerge(turns);
  const itemsUri = layout.mergeItems(wave);
  const merged = mergedItems(merging, turns, isSideBySide(run.plan));
  if (merged.length === 0) return toResult(state, { wave, decision: 'finish', itemsUri });
  await writeJson(deps.store, layout.mergePlan(wave), merging);
  const items = merged.map(
    ({ part_id, variant }): MergeItem => ({ run_uri: state.run_uri, part_id, variant, wave }),
  );
  await writeMapItems(deps.store, itemsUri, items);
  return toResult(state, { wave, decision: 'merge', itemsUri });
}

/** A run, and all that its waves have left. */
interface RunSoFar {
  run: PlannedRun;
  state: RunState;
  wave: number;
  turns: readonly Turn[];
}

async function decide({ run, state, wave, turns }: RunSoFar, deps: StepDeps): Promise<WaveDecision> {
  const { layout, plan, input } = run;
  const { store, settings } = deps;
  const resumed = await readJsonIfPresent(store, layout.resumed, RunResumed);
  const prepared = await readPrepared(plan, layout, deps);
  return decideWave({
    runUri: state.run_uri,
    wave,
    prepared,
    turns,
    limits: {
      minRecords: plan.min_records_per_job,
      maxRecords: recordsPerJobLimit(quotasAsPlanned(plan, settings.quotas), input.max_records_per_job),
      maxBytes: settings.quotas.maxInputFileBytes,
      slots: jobsAtOnce(plan.max_concurrent_jobs, input.max_concurrent_jobs),
      spreadRecords: input.min_records_per_job_spread ?? DEFAULT_SPREAD_RECORDS,
    },
    variants: plan.variants.map(({ name, model, share }) => ({
      name,
      modelId: pricedModelOf({ model }),
      slots: share?.jobs_at_once ?? plan.max_concurrent_jobs,
    })),
    pilot: input.pilot ?? true,
    pilotRows: input.pilot_rows,
    budget: budgetOf(run, { turns, prepared }),
    stop: await readStop(layout, store),
    resumed: resumed ?? { wave: 0 },
    maxAttempts: plan.max_attempts,
    reask: reaskOf(run),
  });
}

/** The account may have told more, or less, than the settings have. */
function quotasAsPlanned({ quotas }: RunPlan, settings: BatchQuotas): BatchQuotas {
  return quotas === undefined ? settings : { ...settings, maxRecordsPerJob: quotas.records_per_job.value };
}

/** Bytes of what is said around a bad answer, and of each of its characters at most, as JSON. */
const REASK_BYTES = { around: 2_000, perCharacter: 3 };

/** What a record may have more of, where models are shown the answers that were not of the schema. */
function reaskOf({ input, variants }: PlannedRun): WaveSituation['reask'] {
  const isTyped = variants.some(({ call }) => call.schema !== undefined);
  if (!isTyped || input.reask === false) return undefined;
  const bytes = REASK_BYTES.around + SHOWN_CHARACTERS * REASK_BYTES.perCharacter;
  const tokens = Math.max(0, ...variants.map(({ call }) => call.maxTokens ?? DEFAULT_MAX_TOKENS));
  return { bytes, tokens: tokens + REASK_BYTES.around / BYTES_PER_TOKEN };
}

function budgetOf(
  { plan, input }: PlannedRun,
  { turns, prepared }: Pick<WaveSituation, 'turns' | 'prepared'>,
): Budget | undefined {
  const prices = pricesOfRun(plan);
  if (prices === undefined) return undefined;
  const costs = plan.variants.map(({ share }, index) =>
    variantCost({
      plan: share === undefined ? plan : { ...plan, estimate: share.estimate },
      price: prices[index] as RunPrice,
      prepared: prepared.filter(({ variant }) => variant === index),
      turns: turns.filter(({ part }) => part.variant === index),
    }),
  );
  return {
    mode: input.budget_mode ?? 'worst',
    maxUsd: input.max_cost_usd ?? Number.POSITIVE_INFINITY,
    spentUsd: spentAtMost(turns, costs),
    costs,
  };
}

/** Writes the items of a wave whose parts are written, the same each time; their URI. */
async function writeItems(wave: number, layout: RunLayout, { store }: StepDeps): Promise<S3Uri> {
  const parts = await readJson(store, layout.waveParts(wave), WaveParts);
  await writeMapItems(store, layout.waveItems(wave), parts.map(toWaveItem));
  return layout.waveItems(wave);
}

function toResult(
  state: RunState,
  { wave, decision, itemsUri }: Pick<DispatchResult, 'wave' | 'decision'> & { itemsUri: S3Uri },
): DispatchResult {
  return { ...RunState.parse(state), wave, decision, items_key: parseS3Uri(itemsUri).key };
}

/** Every part of the wave that has just run must have its ledger: else its rows would be lost. */
async function failUncollected(
  missing: readonly WavePart[],
  layout: RunLayout,
  { store }: StepDeps,
): Promise<never> {
  const [first] = missing;
  const faults = await pLimit(CONCURRENT_READS).map(missing, ({ part_id }) =>
    readJsonIfPresent(store, layout.fault(part_id), PartFault).catch((error: unknown) => {
      // A store that does not answer is asked again: a part that was paid for must not pass for one that was not reached.
      if (error instanceof DamagedFileError) return undefined;
      throw error;
    }),
  );
  const unreadable = faults.filter((fault) => fault !== undefined && UNREADABLE.includes(fault.error));
  if (unreadable.length > 0) {
    const others =
      unreadable.length === 1 ? '' : ` The same is true of ${unreadable.length - 1} other parts.`;
    throw new UnreadableOutputError(
      `${toldOf(unreadable[0])}${others} These answers are paid for, so nothing more is sent. Once they can be read, resume the run: they are collected then. If they are lost for good, resume it with --resend-missing: their records are sent again, and paid for again.`,
    );
  }
  const full = faults.find((fault) => fault?.error === new DiskFullError().name);
  if (full !== undefined) throw new DiskFullError(toldOf(full));
  const damaged = faults.find((fault) => fault?.error === new DamagedFileError().name);
  if (damaged !== undefined) throw new DamagedFileError(toldOf(damaged));
  throw new LedgerMismatchError(
    `${missing.length} of the parts of wave ${first?.wave} could not be collected, ${first?.part_id} first: ${toldOf(faults[0])}. What their jobs left is kept: start the run again under the same run_id to go on.`,
  );
}

/** What broke a part's turn; a part that nothing is known of was not reached. */
function toldOf(fault: PartFault | undefined): string {
  return fault === undefined ? 'it was not reached' : textOfFault(fault);
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;
/** Faults of parts whose output is not all there. */
const UNREADABLE: readonly string[] = [OUTPUT_NOT_READY, new UnreadableOutputError().name];
