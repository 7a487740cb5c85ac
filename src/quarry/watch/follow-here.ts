import { InvalidRunInputError, type QuarryError } from '../../core/errors.ts';
import { RunFailure } from '../../core/run/run-stop.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import { standingOf } from '../../runs/run-store.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import { layoutOf } from '../../targets/jobs-of-run.ts';
import { aboutRun, namedError, RunDetachedError, RunStoppedError } from '../runs/run-errors.ts';
import type { RunWorkOptions } from '../runs/run-work.ts';
import { looksAt, openRunLook } from './run-look.ts';
import { EVERY_MS } from './watch-run.ts';

/** Looks in a row at which nobody is working on a run, before it is taken to have been left. */
const LOOKS_AT_NOBODY = 3;

/**
 * Follows a run that another process is working on with an engine of its own, from its files and jobs, to its end. Nothing is
 * written. InvalidRunInputError where nobody is working on it; RunDetachedError once the signal is aborted, as the run goes on;
 * RunStoppedError, or what broke it, where whoever is working on it lets go of it.
 */
export async function followHere(runId: string, options: RunWorkOptions): Promise<RunSummary> {
  const { files, tell, signal } = options;
  await using look = await openRunLook(runId, files, tell);
  let atNobody = 0;
  let lastFault = '';
  try {
    for await (const looked of looksAt(look, { everyMs: EVERY_MS[files.target.kind], signal })) {
      if ('fault' in looked) {
        if (looked.fault.message !== lastFault) tell({ kind: 'notice', message: looked.fault.message });
        lastFault = looked.fault.message;
        continue;
      }
      if (looked.summary !== undefined) return looked.summary;
      atNobody = looked.worker === null ? atNobody + 1 : 0;
      if (atNobody === LOOKS_AT_NOBODY) throw await leftError(runId, look.layout.failure, options);
    }
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    const message = `Run "${runId}" is no longer followed from here; it goes on in its own process.`;
    throw aboutRun(new RunDetachedError(message, { cause: error, fault: undefined }), runId);
  }
  throw new Error('Looking ends with the run.');
}

/** Throws where nobody is working on a run that has not ended. */
export async function requireWorker(
  runId: string,
  { files: { store, bucket } }: RunWorkOptions,
): Promise<void> {
  const { worker } = await standingOf({ layout: layoutOf(bucket, runId), summary: undefined }, store);
  if (worker !== undefined) return;
  throw new InvalidRunInputError(
    `No process is working on run "${runId}": there is nothing to follow. quarry resume goes on with it.`,
  );
}

/** Why whoever was working on a run does so no more. */
async function leftError(
  runId: string,
  uri: Parameters<typeof readJsonIfPresent>[1],
  { files: { store } }: RunWorkOptions,
): Promise<Error | QuarryError> {
  const failure = await readJsonIfPresent(store, uri, RunFailure);
  return aboutRun(
    failure === undefined
      ? new RunStoppedError(`Run "${runId}" was stopped where it ran.`)
      : namedError(failure.error, failure.message),
    runId,
  );
}
