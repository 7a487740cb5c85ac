import { InvalidRunInputError } from '../../core/errors.ts';
import { outputPathsOf, reportPathOf } from '../results/run-results.ts';
import type { RunEnd } from '../runs/run.ts';
import { attachOnStack, isOnStack } from '../runs/run-on-stack.ts';
import { openRunOutput } from '../runs/run-output.ts';
import { readStatus } from '../runs/run-status.ts';
import type { RunWorkOptions } from '../runs/run-work.ts';
import { followHere, requireWorker } from './follow-here.ts';

/**
 * Follows a run to its end that another process, or an execution on AWS, is working on. InvalidRunInputError where nobody is
 * working on it; of a run that has ended already, its end.
 */
export async function followRun(runId: string, work: RunWorkOptions): Promise<RunEnd> {
  const { files } = work;
  const status = await readStatus(runId, files);
  if (!isOnStack(files)) {
    if (status.kind === 'unfinished') await requireWorker(runId, work);
    const summary = status.kind === 'ended' ? status.summary : await followHere(runId, work);
    // The process that works on the run puts the results where they belong.
    const report = await reportPathOf(summary, files);
    return { summary, files: outputPathsOf(summary, files.store), report };
  }
  const results = await openRunOutput(undefined, { ...work, runId });
  if (status.kind === 'ended') return results.end(status.summary);
  const { execution, isAtWork = false } = status.onStack ?? {};
  if (execution === undefined || !isAtWork) {
    throw new InvalidRunInputError(`No execution is working on run "${runId}": there is nothing to follow.`);
  }
  const { executionArn, name } = execution;
  return results.end(await attachOnStack({ executionArn, name, runId }, { ...work, files }));
}
