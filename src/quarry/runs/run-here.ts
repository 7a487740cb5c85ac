import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { rememberRun } from '../../runs/known-runs.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { placeOf } from '../../runs/run-target.ts';
import { hasEnded } from '../../steps/plan/ended-run.ts';
import { runLocally } from '../../targets/embedded/run-locally.ts';
import { aboutRun, namedError, RunStoppedError } from './run-errors.ts';
import type { RunWorkOptions } from './run-work.ts';

/** What a run on this machine's engine is given. */
export interface RunHereOptions extends RunWorkOptions {
  /** Of a run that is planned already. */
  runId?: string | undefined;
  /** The model that rows will be sent to; absent where nothing is sent any more. */
  asks?: string | undefined;
  /** What the plan is to tell of the dataset beside what it finds. */
  notes?: readonly string[];
  /** Called once this process is the only one at work on the run, and before it does any. */
  onClaimed?: ((layout: RunLayout) => Promise<void>) | undefined;
  /** Called once the run is planned, and before anything is sent. */
  onPlanned?: ((plan: RunPlan) => Promise<void>) | undefined;
}

/** Runs to the end on this machine's engine; throws one of the named errors where it does not come to it. */
export async function runHere(input: unknown, options: RunHereOptions): Promise<RunSummary> {
  const { files, tell, signal, asks, notes = [], onClaimed, onPlanned } = options;
  await using target = await files.openEngine(asks);
  const result = await runLocally(input, {
    target,
    random: Math.random,
    onProgress: tell,
    signal,
    notes,
    onPlanned: async (plan) => {
      await onPlanned?.(plan);
      await remember(plan.run_id, options);
    },
    ...(onClaimed === undefined ? {} : { onClaimed }),
  });
  switch (result.kind) {
    case 'finished':
      return result.summary;
    case 'failed':
      // So that the run can be followed from here by its name.
      if (result.error === 'RunBusyError' && result.runId !== undefined)
        await remember(result.runId, options);
      throw aboutRun(namedError(result.error, result.message), result.runId ?? options.runId);
    case 'aborted':
      throw stoppedError(result.runId ?? options.runId, signal.reason);
  }
}

/**
 * The model that a server of the user's own is to be asked for before a run of this input begins; undefined where it is not to be asked,
 * as the run has ended.
 */
export async function modelAsked(
  input: Record<string, unknown>,
  { files, tell, signal }: RunWorkOptions,
): Promise<string | undefined> {
  const { target } = files;
  if (target.kind !== 'local' || target.model_endpoint === null) return undefined;
  const deps = { ...(await files.planDeps()), onProgress: tell, signal };
  return (await hasEnded(input, deps)) ? undefined : String(input.model_id ?? '');
}

/** Says that the run was stopped, and by what. */
export function stoppedError(runId: string | undefined, cause: unknown): RunStoppedError {
  const message =
    runId === undefined
      ? 'The run was stopped before it was planned: nothing was sent.'
      : `Run "${runId}" was stopped. Jobs that were submitted are collected when it is resumed.`;
  return aboutRun(new RunStoppedError(message, { cause }), runId);
}

/** Remembers where a run is, and says so where its name was another one's. */
export async function remember(
  runId: string,
  { files: { dir, target }, tell, spell }: RunWorkOptions,
): Promise<void> {
  const before = await rememberRun(dir, { run_id: runId, target });
  if (before === undefined || placeOf(before) === placeOf(target)) return;
  tell({
    kind: 'notice',
    message: `Another run ${runId} is at ${placeOf(before)}. From now on ${runId} means this one; name the other with ${spell('target', before.kind)}.`,
  });
}
