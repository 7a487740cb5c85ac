import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { isReported, writeReport } from '../../report/write-report.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import type { StepDeps } from '../deps.ts';

/** A run that has ended, as Summarize found it. */
interface EndedRun {
  layout: RunLayout;
  plan: RunPlan;
  summary: RunSummary;
}

/** Writes the run's report, where there is none of this summary. The run has ended without it: a fault is told, not thrown. True where it is there. */
export async function reportRun(
  { layout, plan, summary }: EndedRun,
  { store, scratchDirectory, onProgress }: StepDeps,
): Promise<boolean> {
  try {
    if (await isReported({ layout, summary, store })) return true;
    await writeReport({ layout, plan, summary, store, scratchDirectory });
    return true;
  } catch (error) {
    onProgress?.({
      kind: 'notice',
      message: `The report could not be written: ${(error as Error).message} The run and its results are whole. To write it again: quarry report ${summary.run_id}`,
    });
    return false;
  }
}
