import { type AnswerFlaw, countUnwanted, failOnOf } from '../../core/answer-flaws.ts';
import type { RunSummary } from '../../core/summary.ts';
import { readResults } from '../../rows/results/read-results.ts';
import { BOOKKEEPING_COLUMNS } from '../../rows/results/result-columns.ts';
import { rememberRun } from '../../runs/known-runs.ts';
import { placeOf } from '../../runs/run-target.ts';
import type { FollowResult as DeployedResult } from '../../targets/aws/follow-execution.ts';
import { type LocalRunOptions, type LocalRunResult, runLocally } from '../../targets/embedded/run-locally.ts';
import { resultFiles } from '../../targets/result-files.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError, EXIT_INCOMPLETE, EXIT_INTERRUPTED } from '../cli-error.ts';
import { withStopSignals } from '../stop-signals.ts';
import { createProgressReporter } from '../views/progress-reporter.ts';
import { rowsView } from '../views/rows-view.ts';
import { outputPathsOf, summaryJson, summaryLines } from '../views/summary-view.ts';
import { downloadResults, requireFreeFolder } from './download-results.ts';

/** Rows shown at the end of a run. */
const SAMPLE_ROWS = 3;

/** What a followed run is given, beside its input. */
export interface FollowOptions extends Pick<LocalRunOptions, 'onClaimed'> {
  files: RunFiles;
  context: CliContext;
  /** Folder that the results will be put into. */
  output?: string | undefined;
  /** The model that rows will be sent to; absent where nothing is sent any more. */
  asks?: string | undefined;
}

/** Runs, with progress on standard error; the first Ctrl-C or SIGTERM stops cleanly, the second at once. */
export async function followRun(
  input: unknown,
  { files, context, output, onClaimed, asks }: FollowOptions,
): Promise<LocalRunResult> {
  await using target = await files.openEngine(asks);
  const reporter = createProgressReporter(context.err);
  try {
    const result = await withStopSignals(context, (signal) =>
      runLocally(input, {
        target,
        random: Math.random,
        onProgress: reporter.report,
        signal,
        onPlanned: async ({ run_id }) => {
          if (output !== undefined) await requireFreeFolder(output, run_id);
          await remember(run_id, files, context);
        },
        ...(onClaimed === undefined ? {} : { onClaimed }),
      }),
    );
    // So that the run can be followed from here by its name.
    if (result.kind === 'failed' && result.error === 'RunBusyError' && result.runId !== undefined) {
      await remember(result.runId, files, context);
    }
    return result;
  } finally {
    reporter.stop();
  }
}

/** Remembers where a run is, and says so where its name was another one's. */
export async function remember(runId: string, { dir, target }: RunFiles, { err }: CliContext): Promise<void> {
  const before = await rememberRun(dir, { run_id: runId, target });
  if (before === undefined || placeOf(before) === placeOf(target)) return;
  err.write(
    `Another run ${runId} is at ${placeOf(before)}. From now on ${runId} means this one; name the other by --target ${before.kind}.\n`,
  );
}

/** The run goes on, and nobody follows it any more. */
type Detached = Extract<DeployedResult, { kind: 'detached' }>;

/** How a result is shown. */
export interface ReportOptions {
  files: RunFiles;
  json?: boolean | undefined;
  /** Folder that the results are put into. */
  output?: string | undefined;
  /** Flaws of answers that count as failures. @default those of the run's own input */
  failOn?: readonly AnswerFlaw[];
}

/** Prints how a run ended; throws CliError where it did not come to its end. */
export async function reportRun(
  result: LocalRunResult | Detached,
  { files, json, output, failOn }: ReportOptions,
  context: CliContext,
): Promise<void> {
  switch (result.kind) {
    case 'finished': {
      const { summary } = result;
      const paths =
        output === undefined
          ? outputPathsOf(summary, files.store)
          : await downloadResults(summary, files, output);
      if (json) context.out.write(`${JSON.stringify(summaryJson(summary, paths), null, 2)}\n`);
      else await printSummary(summary, { files, paths }, context);
      if (countUnwanted(summary, failOn ?? failOnOf(summary.input)) > 0) context.exitStatus = EXIT_INCOMPLETE;
      return;
    }
    case 'failed':
      throw new CliError(result.error, `${result.message}${resumeHint(result, files)}`);
    case 'detached':
      throw detachedError(result, files);
    case 'aborted':
      throw new CliError('Stopped', stoppedMessage(result.runId, files), EXIT_INTERRUPTED);
  }
}

/** ` --dir …`, for a command in a message; empty for the default. */
export function dirFlag(directory: string): string {
  return directory === '.quarry' ? '' : ` --dir ${directory}`;
}

/** How to go on with a run that was planned, once what broke it is mended; or where to look, if another process has it. */
function resumeHint(
  { runId, error }: { runId: string | undefined; error: string },
  { dir }: RunFiles,
): string {
  if (runId === undefined || error === 'LedgerMismatchError') return '';
  if (error === 'RunBusyError') {
    return `\nFollow it with: quarry status ${runId}${dirFlag(dir)}. Stop it with: quarry cancel ${runId}${dirFlag(dir)}.`;
  }
  return `\nNothing that is done is lost. Once that is mended: quarry resume ${runId}${dirFlag(dir)}`;
}

function detachedError({ runId, fault }: Detached, { dir }: RunFiles): CliError {
  const advice =
    runId === undefined
      ? 'To follow it again: the same command.'
      : `To follow it again: quarry status ${runId} --follow${dirFlag(dir)}. To stop it: quarry cancel ${runId}${dirFlag(dir)}.`;
  return fault === undefined
    ? new CliError('Detached', `The run goes on on AWS. ${advice}`, EXIT_INTERRUPTED)
    : new CliError(fault.name, `${fault.message}\nThe run goes on on AWS all the same. ${advice}`);
}

function stoppedMessage(runId: string | undefined, { dir, target }: RunFiles): string {
  if (runId === undefined) return 'Nothing was sent yet. The same command starts the run again.';
  const jobs =
    target.kind !== 'local'
      ? 'Jobs that were submitted go on at Bedrock, and are harvested when the run is resumed.'
      : target.emulator_url !== null
        ? 'Jobs that were submitted go on, and are harvested when the run is resumed.'
        : 'Jobs that were submitted wait in the emulator until the run is resumed.';
  return `${jobs} To go on: quarry resume ${runId}${dirFlag(dir)}. To stop its jobs too: quarry cancel ${runId}${dirFlag(dir)}.`;
}

async function printSummary(
  summary: RunSummary,
  { files: { dir, store }, paths }: { files: RunFiles; paths: readonly string[] },
  { out }: CliContext,
): Promise<void> {
  out.write(`${summaryLines(summary, paths).join('\n')}\n`);
  const rows = await Array.fromAsync(
    readResults(resultFiles(summary, { store, dir }), { head: SAMPLE_ROWS }),
  );
  out.write(`\n${rowsView(rows, { columns: sampleColumns(rows), width: out.columns })}\n`);
  if (summary.simulated) {
    out.write('\nThe answers are by a simulated model: no real model was called and nothing was paid.\n');
  }
  out.write(`\nAll rows: quarry results ${summary.run_id}${dirFlag(dir)}\n`);
  if (summary.status === 'cancelled') {
    out.write(`To go on: quarry resume ${summary.run_id}${dirFlag(dir)}\n`);
  }
}

/** A sample shows the dataset's columns, the answer, and errors only where there are some. */
function sampleColumns(rows: readonly Record<string, unknown>[]): string[] {
  const quiet = ['error_code', 'error_message'];
  return Object.keys(rows[0] ?? {}).filter(
    (column) =>
      !BOOKKEEPING_COLUMNS.includes(column) &&
      (!quiet.includes(column) || rows.some((row) => row[column] !== null)),
  );
}
