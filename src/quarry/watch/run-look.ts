import { systemClock } from '../../core/clock.ts';
import { QuarryError } from '../../core/errors.ts';
import { MergePlan } from '../../core/plan/part.ts';
import type { RunEvent } from '../../core/run/run-event.ts';
import { RunSummary } from '../../core/run/summary.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type RunFilesWatch, watchRunFiles } from '../../runs/run-files-watch.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { doubtAbout } from '../../runs/run-lock.ts';
import { EMPTY_SNAPSHOT, type RunSnapshot, reduceRun } from '../../runs/run-snapshot.ts';
import { type RunCondition, standingOf } from '../../runs/run-store.ts';
import { stepWaitingText } from '../../runs/step-waiting.ts';
import { readWaiting } from '../../steps/part/part-waiting.ts';
import { isCancelled } from '../../steps/run/cancellation.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { DeployedTarget } from '../../targets/aws/deployed-target.ts';
import { faultOf } from '../../targets/aws/execution-fault.ts';
import { describeExecution, type Execution, findExecutions, isOpen } from '../../targets/aws/executions.ts';
import { type JobLook, openJobLook } from '../../targets/job-look.ts';
import { layoutOf } from '../../targets/jobs-of-run.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { openStack } from '../open-stack.ts';
import { isOnStack } from '../runs/run-on-stack.ts';

/** What one look at a run found. */
export interface Looked {
  condition: RunCondition;
  /** Who is working on it; null where nobody is. */
  worker: string | null;
  snapshot: RunSnapshot;
  summary: RunSummary | undefined;
  /** Parts whose rows are merged, of those that are; undefined before that begins. */
  merging: { done: number; total: number } | undefined;
  /** Jobs that hold slots of its models and are not its own; null where there is no account, or it does not tell. */
  heldByOthers: number | null;
  /** What whoever looks should know. */
  notices: string[];
}

/** Looks at a run, as often as it is asked to: at its files, its jobs, and who is working on it. It writes nothing. */
export interface RunLook extends AsyncDisposable {
  layout: RunLayout;
  look(): Promise<Looked>;
}

/** Looks at the files of jobs that are waited for before another one at each of them: they are many, and each costs a request. */
const LOOKS_PER_RECORDS = 6;

/** Begins to look at a run; nothing is told before the first look. `onEvent`: each event that a look finds, in its order. */
export async function openRunLook(
  runId: string,
  files: RunFiles,
  onEvent: (event: RunEvent) => void = () => {},
): Promise<RunLook> {
  await using opened = new AsyncDisposableStack();
  const jobs = opened.use(await openJobLook(files));
  const stack = isOnStack(files) ? opened.use(await openStack(files.target)) : undefined;
  const looker = new Looker({ runId, files, jobs, stack, onEvent });
  const held = opened.move();
  return {
    layout: looker.layout,
    look: () => looker.look(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

interface LookerOptions {
  runId: string;
  files: RunFiles;
  jobs: JobLook;
  stack: DeployedTarget | undefined;
  onEvent: (event: RunEvent) => void;
}

/** Who is working on a run, and what it is. */
interface Standing {
  condition: RunCondition;
  worker: string | null;
  /** Another one where it was taken up again: what was seen before may not be so any more. */
  turn: string;
  notices: string[];
}

class Looker {
  readonly layout: RunLayout;
  readonly #options: LookerOptions;
  #watch: RunFilesWatch | undefined;
  #snapshot = EMPTY_SNAPSHOT;
  #turn: string | undefined;
  #looks = 0;
  #heldByOthers: number | null = null;
  #execution: Execution | undefined;

  constructor(options: LookerOptions) {
    this.#options = options;
    this.layout = layoutOf(options.files.bucket, options.runId);
  }

  async look(): Promise<Looked> {
    const { files, jobs } = this.#options;
    // Before the files: whoever has let go of the run has written them before.
    const summary = await readJsonIfPresent(files.store, this.layout.summary, RunSummary);
    const standing = await this.#standing(summary);
    if (standing.turn !== this.#turn) this.#beginAnew(standing.turn);
    const watch = this.#watch as RunFilesWatch;
    await watch.lookAtFiles();
    if (summary === undefined) {
      const isNear = files.target.kind === 'local';
      if (isNear || this.#looks % LOOKS_PER_RECORDS === 0) await watch.lookAtRecords();
      await watch.lookAtJobs();
      const { plan } = this.#snapshot;
      if (plan !== null && this.#looks % LOOKS_PER_RECORDS === 0)
        this.#heldByOthers = await jobs.heldByOthers(plan);
    }
    this.#looks += 1;
    const fault = jobs.fault();
    return {
      condition: standing.condition,
      worker: standing.worker,
      snapshot: this.#snapshot,
      summary,
      merging: summary === undefined ? await this.#merging() : undefined,
      heldByOthers: summary === undefined ? this.#heldByOthers : null,
      notices: [
        ...standing.notices,
        ...watch.retries().map(stepWaitingText),
        ...(fault === undefined ? [] : [`Its jobs could not be read. ${fault}`]),
        ...(this.#snapshot.plan?.notes ?? []),
      ],
    };
  }

  async #merging(): Promise<Looked['merging']> {
    const { store } = this.#options.files;
    const { parts, waves } = this.#snapshot;
    const turns = Object.values(parts);
    if (turns.length === 0 || turns.some(({ result }) => result === null)) return undefined;
    const plan = await readJsonIfPresent(store, this.layout.mergePlan(waves), MergePlan);
    if (plan === undefined) return undefined;
    const merged = new Set(plan.parts.map(({ part_id }) => this.layout.merged(part_id)));
    let done = 0;
    const folder = this.layout.merged('').replace(/[^/]+$/, '') as S3Uri;
    for await (const { uri } of store.list(folder)) if (merged.has(uri)) done += 1;
    return { done, total: merged.size };
  }

  /** What was seen of a run that is taken up again is looked at once more, from its beginning. */
  #beginAnew(turn: string): void {
    const { files, jobs, onEvent } = this.#options;
    const { store, target } = files;
    this.#turn = turn;
    this.#looks = 0;
    this.#snapshot = EMPTY_SNAPSHOT;
    this.#watch = watchRunFiles({
      layout: this.layout,
      store,
      jobsOf: jobs.jobsOf,
      waitingOf: (partId) => readWaiting(partId, this.layout, store),
      isPaid: target.kind !== 'local',
      onProgress: (event) => {
        this.#snapshot = reduceRun(this.#snapshot, event);
        onEvent(event);
      },
    });
  }

  async #standing(summary: RunSummary | undefined): Promise<Standing> {
    const { stack } = this.#options;
    const turn = this.#turn ?? 'ended';
    if (summary !== undefined) return { condition: summary.status, worker: null, turn, notices: [] };
    return stack === undefined ? this.#standingHere() : this.#standingOnStack(stack);
  }

  async #standingHere(): Promise<Standing> {
    const { store } = this.#options.files;
    const { condition, worker, failure } = await standingOf(
      { layout: this.layout, summary: undefined },
      store,
    );
    if (worker === undefined) {
      const notices = failure === undefined ? [] : [`${failure.message} (${failure.error})`];
      return { condition, worker: null, turn: this.#turn ?? 'nobody', notices };
    }
    const { pid, host } = worker.process;
    const place = store.localPath?.(this.layout.lock) ?? this.layout.lock;
    const doubt = (await doubtAbout(worker, place)).trim();
    return {
      condition,
      worker: `process ${pid} on ${host} since ${worker.since}`,
      turn: worker.holder,
      notices: doubt === '' ? [] : [doubt],
    };
  }

  async #standingOnStack(stack: DeployedTarget): Promise<Standing> {
    const { runId, files } = this.#options;
    const cancelled = await isCancelled(this.layout, files.store);
    this.#execution =
      this.#execution !== undefined && isOpen(this.#execution)
        ? await describeExecution(stack.sfn, this.#execution.executionArn)
        : (await findExecutions(runId, stack))[0];
    const execution = this.#execution;
    if (execution !== undefined && isOpen(execution)) {
      const since = new Date(execution.startedAtMs).toISOString();
      return {
        condition: cancelled ? 'cancelling' : 'running',
        worker: `execution ${execution.name} since ${since}`,
        turn: execution.executionArn,
        notices: [],
      };
    }
    const hasFailed = execution !== undefined && execution.status !== 'ABORTED';
    const fault =
      hasFailed && execution.status !== 'SUCCEEDED'
        ? await faultOf(await describeExecution(stack.sfn, execution.executionArn), stack.sfn)
        : undefined;
    return {
      condition: cancelled ? 'cancelled' : hasFailed ? 'failed' : 'stopped',
      worker: null,
      turn: this.#turn ?? 'nobody',
      notices: fault === undefined ? [] : [`${fault.message} (${fault.error})`],
    };
  }
}

/** Looks in a row that may fail. */
const MAX_FAILED_LOOKS = 20;
/** Milliseconds to wait at most after a look that failed. */
const MAX_BACKOFF_MS = 60_000;

/** Looks again and again; a fault that may pass is told of, and waited out. */
export async function* looksAt(
  look: RunLook,
  { everyMs, signal }: { everyMs: number; signal: AbortSignal },
): AsyncGenerator<Looked | { fault: QuarryError }, void> {
  let failed = 0;
  for (;;) {
    signal.throwIfAborted();
    try {
      yield await look.look();
      failed = 0;
    } catch (error) {
      failed += 1;
      if (!(error instanceof QuarryError) || !error.retryable || failed >= MAX_FAILED_LOOKS) throw error;
      yield { fault: error };
    }
    const waitMs = failed === 0 ? everyMs : Math.min(MAX_BACKOFF_MS, everyMs * 2 ** failed);
    await systemClock.sleep(waitMs, signal);
  }
}
