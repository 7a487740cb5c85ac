import { createJobControl } from '../bedrock/job-control.ts';
import { InvalidRunInputError, QuarryError } from '../core/errors.ts';
import type { RunSummary } from '../core/run/summary.ts';
import { type Diagnosis, examine } from '../doctor/examine.ts';
import { readArrowBatches } from '../rows/results/arrow-batches.ts';
import { recallName } from '../runs/known-runs.ts';
import { findRun, fullRunId } from '../runs/run-store.ts';
import type { RunTarget } from '../runs/run-target.ts';
import { type Verification, verifyRun } from '../steps/run/verify-run.ts';
import { makeStoreFolder } from '../store/store-folder.ts';
import { type Adoption, adoptJobs } from '../targets/embedded/adopt-jobs.ts';
import { findJobs, type QuarryJob } from '../targets/embedded/find-jobs.ts';
import { resultFiles } from '../targets/result-files.ts';
import { openRunFiles, type RunFiles } from '../targets/run-files.ts';
import { chooseTarget, type TargetPurpose } from './choose-target.ts';
import { doctorOptionsOf } from './doctor-options.ts';
import { parseNotifyChannel } from './notify/notify-channel.ts';
import { tellingEnd } from './notify/tell-end.ts';
import { directoryOf, type QuarryOptions, requireOptions, spellingOf } from './quarry-options.ts';
import type { AnswerColumns, OutputSchema } from './results/answer-types.ts';
import { type DiffOptions, diffRuns, type WrittenDiff } from './results/diff-runs.ts';
import { type FileFormat, outputPlaceOf } from './results/output-place.ts';
import { type LineFormat, resultLines } from './results/result-lines.ts';
import { type ReportOptions, reportOf, type WrittenReport } from './results/run-report.ts';
import { outputPathsOf, type ResultRow, type ResultsOptions, readRows } from './results/run-results.ts';
import { writeResults } from './results/write-results.ts';
import { type CancelledRun, cancel } from './runs/cancel-run.ts';
import { draftRun, type PlanOptions } from './runs/draft-run.ts';
import { type AnswersOptions, type KeptAnswers, tendAnswers } from './runs/kept-answers.ts';
import { type ListedRun, listAllRuns } from './runs/list-runs.ts';
import { planAfterPilot } from './runs/pilot-run.ts';
import type { PlanReport } from './runs/plan-report.ts';
import { type RerunRequest, rerunRequest } from './runs/rerun-run.ts';
import { resumeRun } from './runs/resume-run.ts';
import { beginRun, type FollowOptions, type Run, type RunEnd } from './runs/run.ts';
import { stoppedError } from './runs/run-here.ts';
import type { CancelOptions, ResumeOptions, RunName, RunOptions } from './runs/run-options.ts';
import type { RunRequest } from './runs/run-request.ts';
import { type RunStatusReport, readStatus } from './runs/run-status.ts';
import type { RunWorkOptions } from './runs/run-work.ts';
import { startRun } from './runs/start-run.ts';
import { type EmulateOptions, type ServedEmulator, serveEmulator } from './serve-emulator.ts';
import { followRun } from './watch/follow-run.ts';
import { type WatchOptions, watchRun } from './watch/watch-run.ts';
import type { WatchView } from './watch/watch-view.ts';

/**
 * Runs of a prompt or an embedding model over every row of a dataset, on one target. It holds no connection and prints
 * nothing; what cannot be done is told by the named errors.
 */
export class Quarry {
  readonly #options: QuarryOptions;

  /** Throws InvalidRunInputError for options that there are not. */
  constructor(options: QuarryOptions = {}) {
    requireOptions(options);
    this.#options = { ...options };
  }

  /** What a run would send, cost and take. Nothing is sent, and no run is made. */
  async plan(request: RunRequest, options: PlanOptions = {}): Promise<PlanReport> {
    return this.#work({ makesFiles: true }, options, (work) => draftRun(request, { ...options, ...work }));
  }

  /** Starts a run, or goes on with the one of the same input; resolves once it is planned. */
  async run<const Schema extends OutputSchema | undefined = undefined, const Prefix extends string = ''>(
    request: RunRequest<Schema, Prefix>,
    options: RunOptions = {},
  ): Promise<Run<AnswerColumns<Schema, Prefix>>> {
    return this.#begin({ sendsJobs: true, makesFiles: true }, options, (work) =>
      startRun(request, { ...work, output: options.output }),
    );
  }

  /**
   * Starts a new run over the dataset of one that has ended: its good answers are the new run's too, each with `reused_from`, and only
   * rows without an answer, and those that `rows` names, are sent, with whatever the request changes.
   */
  async rerun(run: RunName, request: RerunRequest, options: RunOptions = {}): Promise<Run> {
    const runId = idOf(run);
    return this.#begin({ runId, sendsJobs: true, makesFiles: true }, options, async (work) =>
      startRun(await rerunRequest(runId, request, work.files), { ...work, output: options.output }),
    );
  }

  /**
   * Sends the first rows of a run and pays for them, and says what the whole should cost by what they took. The run then stands there: the
   * same request, or `resume`, goes on with it, and no row of the pilot is paid for again.
   */
  async pilot(request: RunRequest, rows: number, options: PlanOptions = {}): Promise<PlanReport> {
    const { signal, onProgress } = options;
    const run = await this.run({ ...request, pilot_rows: rows }, { signal, onProgress });
    await run.result;
    return this.#work({ runId: run.id }, options, (work) => planAfterPilot(run.id, { ...options, ...work }));
  }

  /** Goes on with a run that was stopped, killed or cancelled, or that failed. */
  async resume(run: RunName, options: ResumeOptions = {}): Promise<Run> {
    const runId = idOf(run);
    return this.#begin({ runId, sendsJobs: true }, options, (work) => resumeRun(runId, options, work));
  }

  /** Follows a run that another process, or an execution on AWS, is working on; the signal ends the following, and the run goes on. */
  async follow(run: RunName, options: FollowOptions = {}): Promise<Run> {
    const runId = idOf(run);
    return this.#begin({ runId }, options, (work) => followRun(runId, work));
  }

  /** Cancels a run: nothing more is sent, its jobs are stopped, what they had done is kept. Resolves at its end. */
  async cancel(run: RunName, options: CancelOptions = {}): Promise<CancelledRun> {
    const runId = idOf(run);
    return this.#work({ runId }, options, (work) => cancel(runId, { ...work, now: options.now === true }));
  }

  /** The id of the run that is meant by an id, by the unique beginning of one, or by nothing: then it is the newest. */
  async find(name?: string): Promise<string> {
    const { target } = this.#options;
    const directory = directoryOf(this.#options);
    // Where a target is named, its newest run is meant, not the newest that was started from here.
    const isOfTarget = name === undefined && target !== undefined;
    const recalled = isOfTarget ? undefined : await recallName(directory, name);
    return this.#work({ runId: recalled }, {}, async ({ files }) =>
      recalled === undefined ? (await findRun(files)).plan.run_id : fullRunId(files, recalled),
    );
  }

  /** Reads every file of a run, and tells which are not as they were written. Changes nothing. */
  async verify(run: RunName): Promise<Verification> {
    const runId = idOf(run);
    return this.#work({ runId }, {}, async ({ files }) =>
      verifyRun((await findRun(files, runId)).layout, files.store),
    );
  }

  /** Where a run stands. */
  async status(run: RunName): Promise<RunStatusReport> {
    const runId = idOf(run);
    return this.#work({ runId }, {}, ({ files }) => readStatus(runId, files));
  }

  /**
   * Watches a run, wherever it runs and whoever works on it: one view of it for each look, until it has ended. It only reads: nothing
   * is written and nothing sent. A run that nobody is working on is watched on, as it may be taken up again.
   */
  async *watch(run: RunName, { signal, everyMs }: WatchOptions = {}): AsyncGenerator<WatchView, void> {
    const never = new AbortController().signal;
    using files = await this.#open({ runId: idOf(run) });
    try {
      yield* watchRun(idOf(run), { files, signal: signal ?? never, everyMs });
    } catch (error) {
      if (signal?.aborted && saysAborted(error, signal)) return;
      throw error;
    }
  }

  /** How a run has ended; undefined where it has not. */
  async summary(run: RunName): Promise<RunSummary | undefined> {
    const runId = idOf(run);
    return this.#work({ runId }, {}, async ({ files }) => (await findRun(files, runId)).summary);
  }

  /** The rows of a run that has ended, with their answers, in the order of the dataset; typed by the schema of the run. */
  results<Columns>(run: Run<Columns>, options?: ResultsOptions): AsyncGenerator<ResultRow<Columns>, void>;
  results<Columns = Record<string, unknown>>(
    run: RunName,
    options?: ResultsOptions,
  ): AsyncGenerator<ResultRow<Columns>, void>;
  async *results<Columns>(
    run: RunName,
    options: ResultsOptions = {},
  ): AsyncGenerator<ResultRow<Columns>, void> {
    using files = await this.#open({ runId: idOf(run) });
    yield* readRows<Columns>(await endedSummary(idOf(run), files), files, options);
  }

  /**
   * The same rows for programs that read many: batches of Arrow, each a stream of its IPC format with one batch, as
   * `tableFromIPC` of apache-arrow and of flechette take it. Some ten thousand rows are in memory at a time.
   */
  async *resultBatches(run: RunName): AsyncGenerator<Uint8Array, void> {
    using files = await this.#open({ runId: idOf(run) });
    yield* readArrowBatches(resultFiles(await endedSummary(idOf(run), files), files));
  }

  /** The Parquet files of a run that has ended: paths of this machine, or S3 URIs, for what reads many rows at once. */
  async files(run: RunName): Promise<string[]> {
    const runId = idOf(run);
    return this.#work({ runId }, {}, async ({ files }) =>
      outputPathsOf(await endedSummary(runId, files), files.store),
    );
  }

  /** The same rows as text, each with its line ends: objects of JSON, or CSV, which has a header. */
  async *lines(run: RunName, options: ResultsOptions & { format: LineFormat }): AsyncGenerator<string, void> {
    using files = await this.#open({ runId: idOf(run) });
    yield* resultLines(await endedSummary(idOf(run), files), files, options);
  }

  /**
   * Puts the results of a run that has ended into a folder that is empty, or of that run: its Parquet files and the summary. A name
   * that ends in `.parquet`, `.csv` or `.jsonl` is one file of all rows, or of those that are asked for; so is any name with a `format`. The files' paths.
   */
  async download(
    run: RunName,
    output: string,
    { format, ...rows }: ResultsOptions & { format?: FileFormat | undefined } = {},
  ): Promise<string[]> {
    const runId = idOf(run);
    return this.#work({ runId }, {}, async ({ files }) =>
      writeResults(outputPlaceOf(output, format), { summary: await endedSummary(runId, files), files, rows }),
    );
  }

  /**
   * Writes the report of a run that has ended anew, from the run's files: one page of HTML beside the results, and with `output` a
   * copy there. What it shows, and where it is: a path of this machine, or an S3 URI.
   */
  async report(run: RunName, { output }: ReportOptions = {}): Promise<WrittenReport> {
    const runId = idOf(run);
    return this.#work({ runId }, {}, ({ files }) => reportOf(runId, { files, output }));
  }

  /**
   * Compares two runs that have ended, or variants of runs (`trial:short`), wherever each is: which rows are in both, whose answers changed and how, with intervals and
   * tests, and rows to look at. It reads only the columns that it needs, and changes nothing. Throws InvalidRunInputError where
   * a run has not ended, where they cannot be compared, and where a condition of `failIf` is none.
   */
  async diff(a: RunName, b: RunName, options: DiffOptions = {}): Promise<WrittenDiff> {
    const [ofA, ofB] = [variantNamed(idOf(a)), variantNamed(idOf(b))];
    return this.#work({ runId: ofA.runId }, {}, async ({ files }) => {
      using others = await this.#open({ runId: ofB.runId });
      return await diffRuns({ a: { ...ofA, files }, b: { ...ofB, files: others } }, options);
    });
  }

  /** Where a run is, or where one would be; asks a stack that is named by an option what it is. */
  async target(run?: RunName): Promise<RunTarget> {
    return chooseTarget(this.#options, { runId: run === undefined ? undefined : idOf(run) });
  }

  /** The runs of the target; and where no target was chosen, those of other places that this machine remembers. */
  async runs(): Promise<{ at: string; runs: ListedRun[] }> {
    const elsewhere = this.#options.target === undefined;
    return this.#work({}, {}, ({ files }) => listAllRuns(files, { elsewhere }));
  }

  /**
   * The answers that runs with `reuse` have kept. With options first takes those of all ended runs in (`rebuild`), deletes some
   * (`pruneRun`, `pruneBefore`), or puts small files together (`compact`).
   */
  async answers(options: AnswersOptions = {}): Promise<KeptAnswers> {
    return this.#work({}, {}, ({ files }) => tendAnswers(options, files));
  }

  /** The model invocation jobs of the runs in the store. */
  async jobs(): Promise<QuarryJob[]> {
    return this.#work({ makesFiles: true }, {}, async ({ files }) => {
      await using target = await files.openEngine();
      const { store, bucket } = files;
      return await findJobs({ store, bucket, jobs: createJobControl(target.control) });
    });
  }

  /** Gives jobs that no run knows back to their runs, or to one run. */
  async adopt(run?: RunName): Promise<Adoption[]> {
    const runId = run === undefined ? undefined : idOf(run);
    return this.#work({ runId, makesFiles: true }, {}, async ({ files }) => {
      const { store, bucket } = files;
      if (runId !== undefined) await findRun(files, runId);
      await using target = await files.openEngine();
      return await adoptJobs({ store, bucket, jobs: createJobControl(target.control) }, runId);
    });
  }

  /** local: serves the Bedrock emulator of the directory, for any AWS SDK; EmulatorBusyError where another process does. */
  async emulate(options: EmulateOptions = {}): Promise<ServedEmulator> {
    return serveEmulator(this.#options, options);
  }

  /** Checks all that runs need, side by side, and says what to do about what is missing. */
  async doctor({ modelId }: { modelId?: string | undefined } = {}): Promise<Diagnosis> {
    return examine(doctorOptionsOf(this.#options, modelId), process.versions.node);
  }

  async #open(purpose: TargetPurpose): Promise<RunFiles> {
    const target = await chooseTarget(this.#options, purpose);
    const directory = directoryOf(this.#options);
    // Of a local run that is only looked at, the folder is there or the run is not.
    if (purpose.makesFiles === true || target.kind !== 'local') await makeStoreFolder(directory);
    return openRunFiles(target, directory);
  }

  /** Begins a run; its files stay open until it has ended, and then whoever waits for it is told. */
  async #begin<Columns>(
    purpose: TargetPurpose,
    options: FollowOptions,
    work: (options: RunWorkOptions) => Promise<RunEnd>,
  ): Promise<Run<Columns>> {
    const { defaults } = this.#options;
    const { notify = defaults?.notify } = this.#options;
    const channel =
      notify === undefined ? undefined : parseNotifyChannel(notify, spellingOf(this.#options)('notify'));
    return beginRun(
      (tell, signal) =>
        tellingEnd(channel, tell, () => this.#work(purpose, { signal, onProgress: tell }, work)),
      options,
    );
  }

  /** Does work with the files open; where the signal has stopped it, that is told by name. */
  async #work<T>(
    purpose: TargetPurpose,
    { signal = new AbortController().signal, onProgress: tell = () => {} }: FollowOptions,
    work: (options: RunWorkOptions) => Promise<T>,
  ): Promise<T> {
    try {
      signal.throwIfAborted();
      using files = await this.#open(purpose);
      const { defaults } = this.#options;
      const { prompts = defaults?.prompts, prices = defaults?.prices } = this.#options;
      return await work({ files, tell, signal, prompts, prices, spell: spellingOf(this.#options) });
    } catch (error) {
      if (signal.aborted && saysAborted(error, signal)) throw stoppedError(purpose.runId, signal.reason);
      throw error;
    }
  }
}

/** True of what says only that the signal was aborted. */
function saysAborted(error: unknown, { reason }: AbortSignal): boolean {
  if (error instanceof QuarryError) return false;
  return error === reason || (error as Error).name === 'AbortError' || (error as Error).cause === reason;
}

function idOf(run: RunName): string {
  return typeof run === 'string' ? run : run.id;
}

/** The run and the variant of a name like `trial:short`; no variant where there is no colon. */
function variantNamed(name: string): { runId: string; variant: string | undefined } {
  const [runId = '', variant] = name.split(':', 2);
  return { runId, variant };
}

async function endedSummary(runId: string, files: RunFiles): Promise<RunSummary> {
  const { summary } = await findRun(files, runId);
  if (summary === undefined) throw new InvalidRunInputError(`Run "${runId}" has not ended yet.`);
  return summary;
}
