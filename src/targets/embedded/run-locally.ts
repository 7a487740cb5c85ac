import type { Bedrock } from '../../bedrock/bedrock.ts';
import { messageOfCause } from '../../core/error-cause.ts';
import { CredentialsError, type QuarryError } from '../../core/errors.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import type { RunSummary } from '../../core/run/summary.ts';
import type { TaskCall } from '../../engine/definition/prepared-state.ts';
import { type ExecutionResult, runExecution } from '../../engine/execution.ts';
import { createStateMachine } from '../../engine/state-machine.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import type { EngineTarget } from './engine-target.ts';
import { machineDefinition } from './machine-definition.ts';
import { openJournal } from './run-journal.ts';
import { openTenancy } from './run-tenancy.ts';
import { createTaskRunner } from './step-functions-tasks.ts';

/** Carries out one task. */
export type RunTask = (call: TaskCall) => Promise<unknown>;

/** What a local run is told. */
export interface LocalRunOptions {
  target: EngineTarget;
  random: () => number;
  onProgress?: (progress: RunEvent) => void;
  signal?: AbortSignal;
  /** What the plan is to tell of the dataset beside what it finds. */
  notes?: readonly string[];
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
  /** `runId`: of a run that was planned, or that another process is working on. */
  | { kind: 'failed'; error: string; message: string; runId: string | undefined }
  | { kind: 'aborted'; runId: string | undefined };

/** What a Map state says of children that failed; why they did is in their own errors. */
const CHILDREN_FAILED = 'States.ExceedToleratedFailureThreshold';

/** Runs the workflow's own definition on the embedded engine, from Plan to Summarize. */
export async function runLocally(input: unknown, options: LocalRunOptions): Promise<LocalRunResult> {
  const { target, random, signal, notes = [], onProgress = () => {} } = options;
  const { deps, store, control } = target;
  const broken = new AbortController();
  const stop = AbortSignal.any([broken.signal, ...(signal === undefined ? [] : [signal])]);
  await using tenancy = openTenancy({ ...options, onLost: (fault) => broken.abort(fault) });
  const journal = openJournal(options);
  target.notices?.read(({ message, fault }) => {
    onProgress({ kind: 'notice', message });
    if (fault !== undefined) broken.abort(fault);
  });
  const runTask = createTaskRunner({
    deps: {
      ...deps,
      bedrock: sentBy(deps.bedrock, { signal: stop, confirm: tenancy.confirm }),
      onProgress,
      notes,
      claimRun: tenancy.claimRun,
      signal: stop,
    },
    control,
    onStepDone: journal.onStepDone,
    onJobSeen: journal.onJobSeen,
    onProgress,
  });
  const { aroundTasks = (task) => task } = options;
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
  const ended = await toRunResult(result, {
    fault: broken.signal.aborted ? (broken.signal.reason as Error) : undefined,
    childFault: tasks.lastFault(),
    runId: journal.runId() ?? tenancy.contested(),
    readSummary: journal.readSummary,
  });
  if (!tenancy.isLost()) await journal.leaveWord(ended);
  return ended;
}

/** What is known of an execution beside its result. */
interface ExecutionEnd {
  /** What broke the run off: a fault of the machine, or the loss of the run. */
  fault: Error | undefined;
  /** The error of the task that failed last. */
  childFault: Error | undefined;
  runId: string | undefined;
  readSummary: () => Promise<RunSummary>;
}

async function toRunResult(
  result: ExecutionResult,
  { fault, childFault, runId, readSummary }: ExecutionEnd,
): Promise<LocalRunResult> {
  if (fault !== undefined) return { kind: 'failed', error: fault.name, message: fault.message, runId };
  switch (result.status) {
    case 'SUCCEEDED':
      return { kind: 'finished', summary: await readSummary() };
    case 'ABORTED':
      return { kind: 'aborted', runId };
    case 'FAILED':
    case 'TIMED_OUT': {
      if (result.error === CHILDREN_FAILED && childFault !== undefined) {
        return { kind: 'failed', error: childFault.name, message: childFault.message, runId };
      }
      const error = result.error ?? result.status;
      return { kind: 'failed', error, message: messageOfCause(result.cause) ?? error, runId };
    }
  }
}

/** Carries out tasks, and knows when nothing is under way any more. */
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
