import { createJobControl } from '../../bedrock/job-control.ts';
import { type JobStatus, outcomeOf } from '../../core/jobs/job.ts';
import { WaveParts } from '../../core/plan/part.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import { PartLedger } from '../../core/run/ledger.ts';
import { collectedEvent } from '../../core/run/run-event.ts';
import type { RunFailure } from '../../core/run/run-stop.ts';
import { RunSummary } from '../../core/run/summary.ts';
import { type RunLayout, runLayout } from '../../runs/run-layout.ts';
import { CollectResult } from '../../steps/part/collect.ts';
import { isCancelled } from '../../steps/run/cancellation.ts';
import { RunState } from '../../steps/run/run-state.ts';
import { DispatchResult } from '../../steps/waves/dispatch.ts';
import { readJson, writeJson } from '../../store/json-object.ts';
import type { StepName } from '../../workflow/definition.ts';
import type { LocalRunOptions, LocalRunResult } from './run-locally.ts';

/** What a run tells as its steps are done. */
export interface RunJournal {
  /** Undefined until the run is planned. */
  runId(): string | undefined;
  onStepDone(step: StepName, output: unknown): Promise<void>;
  /** Stops a job that is looked at, where the run was cancelled: whoever cancelled it and whenever. */
  onJobSeen(jobArn: string, status: JobStatus): Promise<void>;
  /** Leaves word of what broke the run, for whoever looks at it later. */
  leaveWord(result: LocalRunResult): Promise<void>;
  /** The summary of a run that has come to its end. */
  readSummary(): Promise<RunSummary>;
}

/** Begins before the run is planned. */
export function openJournal({ target, onProgress = () => {}, onPlanned }: LocalRunOptions): RunJournal {
  const { store, control, deps } = target;
  const jobs = createJobControl(control);
  let planned: { runId: string; layout: RunLayout } | undefined;
  const layoutOfRun = (): RunLayout => {
    if (planned === undefined) throw new Error('The run is not planned yet.');
    return planned.layout;
  };

  return {
    runId: () => planned?.runId,
    onStepDone: async (step, output) => {
      switch (step) {
        case 'plan': {
          const { run_id: runId, run_uri } = RunState.parse(output);
          planned = { runId, layout: runLayout(run_uri) };
          await store.delete(planned.layout.failure);
          const plan = await readJson(store, planned.layout.plan, RunPlan);
          await onPlanned?.(plan);
          onProgress({ kind: 'planned', plan, isPaid: deps.settings.billed });
          return;
        }
        case 'dispatch': {
          const { decision, wave } = DispatchResult.parse(output);
          if (decision !== 'run') return;
          const parts = await readJson(store, layoutOfRun().waveParts(wave), WaveParts);
          onProgress({ kind: 'dispatched', wave, parts });
          return;
        }
        case 'collect': {
          const { part_id } = CollectResult.parse(output);
          onProgress(collectedEvent(await readJson(store, layoutOfRun().ledger(part_id), PartLedger)));
        }
      }
    },
    onJobSeen: async (jobArn, status) => {
      if (planned === undefined || status === 'Stopping' || outcomeOf(status).kind === 'ended') return;
      if (await isCancelled(planned.layout, store)) await jobs.stopJob(jobArn);
    },
    leaveWord: async (result) => {
      if (planned === undefined || result.kind !== 'failed') return;
      const { error, message } = result;
      const failed_at = new Date(deps.clock.now()).toISOString();
      const failure: RunFailure = { error, message, failed_at };
      // Where this cannot be written either, whoever is at work has been told all the same.
      await writeJson(store, planned.layout.failure, failure).catch(() => {});
    },
    readSummary: () => readJson(store, layoutOfRun().summary, RunSummary),
  };
}
