import type { RunEnd } from './run.ts';
import { modelAsked, runHere } from './run-here.ts';
import { isOnStack, runOnStack } from './run-on-stack.ts';
import { openRunOutput } from './run-output.ts';
import { inOwnWords, placeRequest, type RunRequest } from './run-request.ts';
import type { RunWorkOptions } from './run-work.ts';

/** Starts a run, or goes on with the one of the same input, to its end. */
export async function startRun(
  request: RunRequest,
  { output, ...work }: RunWorkOptions & { output?: string | undefined },
): Promise<RunEnd> {
  const { files } = work;
  await files.requireReachable();
  const { dataset } = (request ?? {}) as Partial<RunRequest>;
  const results = await openRunOutput(output, { ...work, dataset });
  const { input, names, notes } = await placeRequest(request, work);
  const summary = await inOwnWords({ names }, async () =>
    isOnStack(files)
      ? runOnStack(input, { ...work, files, notes, onNamed: results.claim })
      : runHere(input, {
          ...work,
          notes,
          asks: await modelAsked(input, work),
          onPlanned: ({ run_id }) => results.claim(run_id),
        }),
  );
  return results.end(summary);
}
