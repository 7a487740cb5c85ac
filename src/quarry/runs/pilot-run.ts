import { WaveParts } from '../../core/plan/part.ts';
import { findRun, inputOf } from '../../runs/run-store.ts';
import { readPrepared } from '../../steps/waves/turns.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import { draftRun, type PlanOptions } from './draft-run.ts';
import { reportPilot } from './pilot-report.ts';
import type { PlanReport } from './plan-report.ts';
import type { RunWorkOptions } from './run-work.ts';

/** The plan of a run whose pilot has ended, with what it has shown. Nothing is sent. */
export async function planAfterPilot(
  runId: string,
  options: RunWorkOptions & PlanOptions,
): Promise<PlanReport> {
  const { files } = options;
  const { plan, summary, layout } = await findRun(files, runId);
  const report = await draftRun(inputOf(plan), options);
  if (summary === undefined) return report;
  const first = (await readJsonIfPresent(files.store, layout.waveParts(1), WaveParts)) ?? [];
  const pilot = reportPilot({
    plan,
    summary,
    parts: await readPrepared(plan, layout, files),
    sent: new Set(first.map(({ part_id }) => part_id)),
  });
  if (pilot.whole === null) return { ...report, pilot };
  const { estimate } = report;
  return { ...report, pilot, estimate: { ...estimate, expected: pilot.whole }, expected_by: 'pilot' };
}
