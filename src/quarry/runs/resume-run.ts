import { modelsOf } from '../../core/plan/run-plan.ts';
import { findRun, inputOf } from '../../runs/run-store.ts';
import { limitsOf } from '../../steps/plan/run-identity.ts';
import { takeUp } from '../../steps/run/take-up.ts';
import type { RunEnd } from './run.ts';
import { runHere } from './run-here.ts';
import { isOnStack, resumeOnStack } from './run-on-stack.ts';
import type { ResumeOptions } from './run-options.ts';
import { openRunOutput } from './run-output.ts';
import type { RunWorkOptions } from './run-work.ts';

/** Goes on with a run that was stopped, killed or cancelled, or that failed, to its end. */
export async function resumeRun(
  runId: string,
  { maxCostUsd, budgetMode, timeoutHours, maxAttempts, resendMissing, output }: ResumeOptions,
  work: RunWorkOptions,
): Promise<RunEnd> {
  const { files } = work;
  const changes = limitsOf({
    max_cost_usd: maxCostUsd,
    budget_mode: budgetMode,
    timeout_hours: timeoutHours,
  });
  const grants = { maxAttempts, resendMissing };
  const { plan, summary: ended } = await findRun(files, runId);
  const results = await openRunOutput(output, { ...work, runId });
  await results.claim(runId);
  if (isOnStack(files)) return results.end(await resumeOnStack(runId, { ...work, files, changes, grants }));
  const summary = await runHere(
    { ...inputOf(plan), ...changes },
    {
      ...work,
      runId,
      // A run that has ended sends nothing more.
      asks: ended === undefined ? modelsOf(plan) : undefined,
      onClaimed: async (layout) => {
        const { exhausted } = await takeUp(layout, grants, files.store);
        if (exhausted > 0) work.tell({ kind: 'notice', message: exhaustedText(exhausted, work) });
      },
    },
  );
  return results.end(summary);
}

/** What could be sent again and has no attempts left. */
function exhaustedText(exhausted: number, { spell }: RunWorkOptions): string {
  const records = exhausted === 1 ? '1 record' : `${exhausted.toLocaleString('en-US')} records`;
  return `${records} could be sent again, but used up their attempts: ${spell('maxAttempts')} grants more.`;
}
