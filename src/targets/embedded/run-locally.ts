import type { Bedrock } from '../../bedrock/bedrock.ts';
import { createJobControl } from '../../bedrock/job-control.ts';
import { messageOfCause } from '../../core/error-cause.ts';
import { CredentialsError, type QuarryError, RunBusyError } from '../../core/errors.ts';
import { type JobStatus, outcomeOf } from '../../core/job.ts';
import { PartLedger } from '../../core/ledger.ts';
import { WaveParts } from '../../core/part.ts';
import { collectedEvent, type RunEvent } from '../../core/run-event.ts';
import { RunPlan } from '../../core/run-plan.ts';
import { RunSummary } from '../../core/summary.ts';
import type { TaskCall } from '../../engine/definition/prepared-state.ts';
import { type ExecutionResult, runExecution } from '../../engine/execution.ts';
import { createStateMachine } from '../../engine/state-machine.ts';
import type { Claim } from '../../runs/claim.ts';
import { type RunLayout, runLayout, runUriOf } from '../../runs/run-layout.ts';
import { lockRun } from '../../runs/run-lock.ts';
import { CollectResult } from '../../steps/part/collect.ts';
import { isCancelled } from '../../steps/run/cancellation.ts';
import { RunState } from '../../steps/run/run-state.ts';
import { DispatchResult } from '../../steps/waves/dispatch.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import { readJson } from '../../store/json-object.ts';
import type { StepName } from '../../workflow/definition.ts';
import type { EngineTarget } from './engine-target.ts';
import { machineDefinition } from './machine-definition.ts';
import { createTaskRunner } from './step-functions-tasks.ts';

/** Carries out one task. */
export type RunTask = (call: TaskCall) => Promise<unknown>;

/** What a local run is told. */
export interface LocalRunOptions {
  target: EngineTarget;
  random: () => number;
  onProgress?: (progress: RunEvent) => void;
  signal?: AbortSignal;
  /** Wraps the carrying out of tasks; for tests that let a step run twice. */
  aroundTasks?: (runTask: RunTask) => RunTask;
  /** Called once this process is the only one at work on the run, and before it does any. */
  onClaimed?: (layout: RunLayout) => Promise<void>;
  /** Called once the run is planned, and before anything is sent. */
  onPlanned?: (plan: RunPlan) => Promise<void>;
}

/** How a local execution ended. */
export type LocalRunResult =
  | { kind: 'finished'; summary: RunSummary }
  /** `runId`: of a run that was planned, or that another process is at work on. */
  | { kind: 'failed'; error: string; message: string; runId: string | undefined }
  | { kind: 'aborted'; runId: string | undefined };

/** What a Map state says of children that failed; why they did is in their own errors. */
const CHILDREN_FAILED = 'States.ExceedToleratedFailureThreshold';

/** Runs the workflow's own definition on the embedded engine, from Plan to Summarize. */
export async function runLocally(
  input: unknown,
  {
    target,
    random,
    onProgress = () => {},
    signal,
    aroundTasks = (runTask) => runTask,
    onClaimed = async () => {},
    onPlanned = async () => {},
  }: LocalRunOptions,
): Promise<LocalRunResult> {
  const { deps, store, control } = target;
  let state: RunState | undefined;
  const jobs = createJobControl(control);
  const broken = new AbortController();
  await using stack = new AsyncDisposableStack();
  let locked: string | undefined;
  let claimed: string | undefined;
  /** The run that another process is at work on. */
  let contested: string | undefined;
  let lease: Claim | undefined;
  const claimRun = async (runId: string): Promise<void> => {
    // Plan may be tried again, also where what is done once it has the run has failed.
    if (claimed === runId) return;
    const layout = runLayout(runUriOf(deps.settings.bucket, runId));
    if (locked !== runId) {
      contested = runId;
      const lock = stack.use(await lockRun({ runId, layout }, store));
      contested = undefined;
      lease = lock;
      lock.lost.addEventListener('abort', () =>
        broken.abort(
          new RunBusyError(
            `Another process has taken run "${runId}" over: this one had not been heard of for minutes, or its lock was deleted. It sends nothing more.`,
          ),
        ),
      );
      locked = runId;
    }
    await onClaimed(layout);
    claimed = runId;
  };
  target.notices?.read(({ message, fault }) => {
    onProgress({ kind: 'notice', message });
    if (fault !== undefined) broken.abort(fault);
  });
  const onJobSeen = async (jobArn: string, status: JobStatus): Promise<void> => {
    if (state === undefined || status === 'Stopping' || outcomeOf(status).kind === 'ended') return;
    // Each look at a job is a look at the run's own fate, whoever cancelled it and whenever.
    if (await isCancelled(runLayout(state.run_uri), store)) await jobs.stopJob(jobArn);
  };
  const onStepDone = async (step: StepName, output: unknown): Promise<void> => {
    if (step === 'plan') {
      state = RunState.parse(output);
      const plan = await readJson(store, runLayout(state.run_uri).plan, RunPlan);
      await onPlanned(plan);
      onProgress({ kind: 'planned', plan, isPaid: deps.settings.billed });
    } else if (step === 'dispatch') {
      const { decision, run_uri, wave } = DispatchResult.parse(output);
      if (decision !== 'run') return;
      const parts = await readJson(store, runLayout(run_uri).waveParts(wave), WaveParts);
      onProgress({ kind: 'dispatched', wave, parts });
    } else if (step === 'collect') {
      const { part_id } = CollectResult.parse(output);
      if (state === undefined) return;
      onProgress(collectedEvent(await readJson(store, runLayout(state.run_uri).ledger(part_id), PartLedger)));
    }
  };
  const stop = AbortSignal.any([broken.signal, ...(signal === undefined ? [] : [signal])]);
  const runTask = createTaskRunner({
    deps: {
      ...deps,
      bedrock: sentBy(deps.bedrock, { signal: stop, confirm: async () => lease?.confirm() }),
      onProgress,
      claimRun,
      signal: stop,
    },
    control,
    onStepDone,
    onJobSeen,
    onProgress,
  });
  // No step can do without the disk or without credentials: whatever went on would only say so again, and less clearly.
  const tasks = trackTasks(aroundTasks(runTask), (fault) => broken.abort(fault));
  const result = await runExecution(createStateMachine(machineDefinition), {
    name: 'local',
    input,
    signal: stop,
    runTask: tasks.runTask,
    objects: {
      getObject: (bucket, key) => tasks.track(store.read(`s3://${bucket}/${key}`)),
      putObject: (bucket, key, body) => tasks.track(store.write(`s3://${bucket}/${key}`, body)),
    },
    clock: deps.clock,
    random,
    onEvent: (event) => {
      if ('stateName' in event && event.type.endsWith('StateEntered')) {
        onProgress({ kind: 'state_entered', state: String(event.stateName) });
      }
    },
  }).finally(tasks.settled);
  const runId = state?.run_id;
  if (broken.signal.aborted) {
    const { name, message } = broken.signal.reason as Error;
    return { kind: 'failed', error: name, message, runId };
  }
  const fault = tasks.lastFault();
  if (result.status === 'FAILED' && result.error === CHILDREN_FAILED && fault !== undefined) {
    return { kind: 'failed', error: fault.name, message: fault.message, runId };
  }
  return toRunResult(result, runId ?? contested, async () => {
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
    case 'TIMED_OUT': {
      const error = result.error ?? result.status;
      return { kind: 'failed', error, message: messageOfCause(result.cause) ?? error, runId };
    }
  }
}

/** Carries out tasks, and knows when none is under way any more. */
function trackTasks(
  runTask: (call: TaskCall) => Promise<unknown>,
  onMachineFault: (fault: QuarryError) => void,
) {
  const underWay = new Set<Promise<unknown>>();
  let lastFault: Error | undefined;
  const track = <T>(work: Promise<T>): Promise<T> => {
    const task = work.catch((error: unknown) => {
      const fault = error instanceof CredentialsError ? error : diskFaultOf(error);
      if (fault !== undefined) onMachineFault(fault);
      if (error instanceof Error) lastFault = fault ?? error;
      throw fault ?? error;
    });
    underWay.add(task);
    const forget = () => underWay.delete(task);
    task.then(forget, forget);
    return task;
  };
  return {
    track,
    runTask: (call: TaskCall): Promise<unknown> => track(runTask(call)),
    /** The error of the task that failed last. */
    lastFault: () => lastFault,
    /** An abort does not wait for the steps under way; whoever comes next must find nobody at work. */
    settled: async (): Promise<void> => void (await Promise.allSettled(underWay)),
  };
}

/** Bedrock, which is sent something only while the run is this process's, and after an abort nothing more. */
function sentBy(
  bedrock: Bedrock,
  { signal, confirm }: { signal: AbortSignal; confirm: () => Promise<void> },
): Bedrock {
  const mayBeSent = async (): Promise<void> => {
    signal.throwIfAborted();
    await confirm();
    signal.throwIfAborted();
  };
  return {
    ...bedrock,
    createJob: async (request) => {
      await mayBeSent();
      return bedrock.createJob(request);
    },
    invoke: async (...call) => {
      await mayBeSent();
      return bedrock.invoke(...call);
    },
  };
}
