import { z } from 'zod';
import { LedgerMismatchError } from '../core/errors.ts';
import { PartLedger } from '../core/ledger.ts';
import { type InvocationMode, PreparedPart, WavePart } from '../core/part.ts';
import { parseS3Uri, type S3Uri } from '../core/s3-uri.ts';
import { readJson, readJsonIfPresent, writeJson } from '../store/json-object.ts';
import { runLayout } from '../store/run-layout.ts';
import { isCancelled } from './cancellation.ts';
import { CollectFault } from './collect.ts';
import type { StepDeps } from './deps.ts';
import { readPlan } from './read-plan.ts';
import { RunState } from './run-state.ts';

/** What Dispatch decided: another wave, or the end. */
export const DispatchResult = RunState.extend({ decision: z.enum(['run', 'finish']), parts_key: z.string() });
export type DispatchResult = z.infer<typeof DispatchResult>;

/** What is known when a wave is decided. */
export interface WaveSituation {
  runUri: S3Uri;
  /** Waves done. */
  wave: number;
  prepared: readonly PreparedPart[];
  minRecordsPerJob: number;
}

/** The parts of the next wave; none where nothing is left to send. */
export function decideWave({ runUri, wave, prepared, minRecordsPerJob }: WaveSituation): WavePart[] {
  if (wave > 0) return [];
  return prepared.map(({ part_id, records, bytes }) => ({
    run_uri: runUri,
    part_id,
    wave: wave + 1,
    attempt: 1,
    mode: modeOf(records, minRecordsPerJob),
    records,
    bytes,
  }));
}

/** How so many records are run. */
export function modeOf(records: number, minRecordsPerJob: number): InvocationMode {
  if (records === 0) return 'none';
  return records < minRecordsPerJob ? 'on_demand' : 'batch';
}

/** Decides the next wave from what is still owed, and writes it; a wave that is written is never decided again. */
export async function dispatch(state: RunState, deps: StepDeps): Promise<DispatchResult> {
  const { store } = deps;
  const { plan } = await readPlan(state.run_uri, deps);
  const layout = runLayout(state.run_uri);
  const prepared: PreparedPart[] = [];
  for (let slice = 0; slice < plan.slices; slice += 1) {
    prepared.push(...(await readJson(store, layout.sliceParts(slice), z.array(PreparedPart))));
  }
  if (state.wave > 0) await requireLedgers(state, deps);
  const situation: WaveSituation = {
    runUri: state.run_uri,
    wave: state.wave,
    prepared,
    minRecordsPerJob: plan.min_records_per_job,
  };
  const partsUri = layout.waveParts(state.wave + 1);
  const parts = (await readJsonIfPresent(store, partsUri, z.array(WavePart))) ?? decideWave(situation);
  const result = { ...RunState.parse(state), parts_key: parseS3Uri(partsUri).key };
  // The first wave is run all the same: its parts are collected, though not sent.
  const stopped = state.wave > 0 && (await isCancelled(layout, store));
  if (parts.length === 0 || stopped) return { ...result, decision: 'finish' };
  await writeJson(store, partsUri, parts);
  return { ...result, wave: state.wave + 1, decision: 'run' };
}

/** Every part of the wave that has just run must have its ledger: else its rows would be lost. */
async function requireLedgers({ run_uri, wave }: RunState, { store }: StepDeps): Promise<void> {
  const layout = runLayout(run_uri);
  const missing: string[] = [];
  for (const { part_id } of await readJson(store, layout.waveParts(wave), z.array(WavePart))) {
    const ledger = await readJsonIfPresent(store, layout.ledger(part_id), PartLedger);
    if (ledger === undefined) missing.push(part_id);
  }
  const [first] = missing;
  if (first === undefined) return;
  const fault = await readJsonIfPresent(store, layout.fault(first), CollectFault);
  throw new LedgerMismatchError(
    `${missing.length} of the parts of wave ${wave} could not be collected, ${first} first: ${fault?.message ?? 'it was not reached'}. What their jobs left is kept: start the run again under the same run_id to go on.`,
  );
}
