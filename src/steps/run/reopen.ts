import type { RunResumed } from '../../core/run/run-stop.ts';
import { RunSummary } from '../../core/run/summary.ts';
import type { RunInput } from '../../core/run-input/run-input.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';

/** What of a run input may let a run go on. */
type ReopeningLimits = Pick<RunInput, 'max_cost_usd' | 'budget_mode' | 'pilot_rows'>;

/**
 * Lets a run go on where it stands that a systematic fault had stopped, since whoever starts it again has mended the
 * cause, or its budget, where it may cost more now, or its pilot, where it is to go on. A run that ended otherwise stays as it is.
 */
export async function reopen(layout: RunLayout, limits: ReopeningLimits, { store }: StepDeps): Promise<void> {
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (summary === undefined || !isMended(summary, limits)) return;
  const isFault = summary.stop?.reason === 'systematic_fault';
  await writeJson(store, layout.resumed, {
    wave: summary.waves,
    ...(isFault ? { fault: true } : {}),
  } satisfies RunResumed);
  await store.delete(layout.stop);
  // Last: while the summary is there, the run can be reopened again.
  await store.delete(layout.summary);
}

/** True of a run that was stopped, and goes on once it is started again. */
export function isMended(
  { status, stop, input }: RunSummary,
  { max_cost_usd: maxCostUsd = Number.POSITIVE_INFINITY, budget_mode, pilot_rows }: ReopeningLimits,
): boolean {
  if (status !== 'stopped') return false;
  if (stop?.reason === 'systematic_fault') return true;
  if (stop?.reason === 'pilot') return pilot_rows === undefined;
  if (stop?.reason !== 'budget') return false;
  const isLooser = budget_mode === 'expected' && input.budget_mode !== 'expected';
  return maxCostUsd > Number(input.max_cost_usd) || isLooser;
}
