import { z } from 'zod';
import { WavePart } from '../core/part.ts';
import { RunPlan } from '../core/run-plan.ts';
import { RunSummary } from '../core/summary.ts';
import { type ExecutionResult, runExecution } from '../engine/execution.ts';
import { CollectResult } from '../steps/collect.ts';
import { DispatchResult } from '../steps/dispatch.ts';
import { RunState } from '../steps/run-state.ts';
import { readJson } from '../store/json-object.ts';
import { runLayout } from '../store/run-layout.ts';
import { definition, type StepName } from '../workflow/definition.ts';
import type { LocalTarget } from './local-target.ts';
import type { RunProgress } from './run-progress.ts';
import { createTaskRunner } from './step-functions-tasks.ts';

/** What a local run is told. */
export interface LocalRunOptions {
  target: LocalTarget;
  random: () => number;
  onProgress?: (progress: RunProgress) => void;
  signal?: AbortSignal;
}

/** How a local execution ended. */
export type LocalRunResult =
  | { kind: 'finished'; summary: RunSummary }
  | { kind: 'failed'; error: string; message: string; runId: string | undefined }
  | { kind: 'aborted'; runId: string | undefined };

/** Runs the workflow's own definition on the embedded engine, from Plan to Summarize. */
export async function runLocally(
  input: unknown,
  { target, random, onProgress = () => {}, signal }: LocalRunOptions,
): Promise<LocalRunResult> {
  const { deps, store, control } = target;
  let state: RunState | undefined;
  const onStepDone = async (step: StepName, output: unknown): Promise<void> => {
    if (step === 'plan') {
      state = RunState.parse(output);
      onProgress({ kind: 'planned', plan: await readJson(store, runLayout(state.run_uri).plan, RunPlan) });
    } else if (step === 'dispatch') {
      const { decision, run_uri, wave } = DispatchResult.parse(output);
      if (decision !== 'run') return;
      const parts = await readJson(store, runLayout(run_uri).waveParts(wave), z.array(WavePart));
      onProgress({ kind: 'dispatched', wave, parts });
    } else if (step === 'collect') {
      const { part_id, rows } = CollectResult.parse(output);
      onProgress({ kind: 'collected', partId: part_id, rows });
    }
  };
  const result = await runExecution(
    {
      definition,
      runTask: createTaskRunner({
        deps: { ...deps, onProgress },
        control,
        onStepDone,
        onProgress,
      }),
      objects: {
        getObject: (bucket, key) => store.read(`s3://${bucket}/${key}`),
        putObject: (bucket, key, body) => store.write(`s3://${bucket}/${key}`, body),
      },
      clock: deps.clock,
      random,
      onEvent: (event) => {
        if ('stateName' in event && event.type.endsWith('StateEntered')) {
          onProgress({ kind: 'state_entered', state: String(event.stateName) });
        }
      },
    },
    { name: 'local', input, ...(signal === undefined ? {} : { signal }) },
  );
  const runId = state?.run_id;
  return toRunResult(result, runId, async () => {
    if (state === undefined) throw new Error('The execution ended without a plan.');
    return readJson(store, runLayout(state.run_uri).summary, RunSummary);
  });
}

async function toRunResult(
  result: ExecutionResult,
  runId: string | undefined,
  readSummary: () => Promise<RunSummary>,
): Promise<LocalRunResult> {
  switch (result.status) {
    case 'SUCCEEDED':
      return { kind: 'finished', summary: await readSummary() };
    case 'ABORTED':
      return { kind: 'aborted', runId };
    case 'FAILED':
    case 'TIMED_OUT':
      return { kind: 'failed', error: result.error, message: messageOf(result.cause) ?? result.error, runId };
  }
}

/** The message of a Cause, which may be the JSON that Lambda makes of an error. */
function messageOf(cause: string | undefined): string | undefined {
  if (cause === undefined) return undefined;
  try {
    const { errorMessage } = z.object({ errorMessage: z.string() }).parse(JSON.parse(cause));
    return errorMessage;
  } catch {
    return cause;
  }
}
