import type { RunResumed } from '../../core/run/run-stop.ts';
import { RunSummary } from '../../core/run/summary.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';

/**
 * Lets a run go on where it stands that a systematic fault had stopped, since whoever starts it again has mended the
 * cause, or its budget, where it may cost more now. A run that ended otherwise stays as it is.
 */
export async function reopen(
  layout: RunLayout,
  maxCostUsd: number | undefined,
  { store }: StepDeps,
): Promise<void> {
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (summary === undefined || !isMended(summary, maxCostUsd)) return;
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
  maxCostUsd = Number.POSITIVE_INFINITY,
): boolean {
  if (status !== 'stopped') return false;
  if (stop?.reason === 'systematic_fault') return true;
  return stop?.reason === 'budget' && maxCostUsd > Number(input.max_cost_usd);
}
