import type { RunResumed } from '../core/run-stop.ts';
import { RunSummary } from '../core/summary.ts';
import { readJsonIfPresent, writeJson } from '../store/json-object.ts';
import type { RunLayout } from '../store/run-layout.ts';
import type { StepDeps } from './deps.ts';

/**
 * Lets a run that a systematic fault had stopped go on where it stands: whoever starts it again has mended the cause.
 * A run that ended otherwise stays as it is.
 */
export async function reopen(layout: RunLayout, { store }: StepDeps): Promise<void> {
  const summary = await readJsonIfPresent(store, layout.summary, RunSummary);
  if (summary?.status !== 'stopped' || summary.stop?.reason !== 'systematic_fault') return;
  await writeJson(store, layout.resumed, { wave: summary.waves } satisfies RunResumed);
  await store.delete(layout.stop);
  // Last: while the summary is there, the run can be reopened again.
  await store.delete(layout.summary);
}
