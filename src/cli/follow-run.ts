import { readResults } from '../dataset/read-results.ts';
import type { LocalTarget } from '../local/local-target.ts';
import { type LocalRunOptions, type LocalRunResult, runLocally } from '../local/run-locally.ts';
import type { CliContext } from './cli-context.ts';
import { CliError, EXIT_INCOMPLETE, EXIT_INTERRUPTED } from './cli-error.ts';
import { createProgressReporter } from './progress-reporter.ts';
import { rowsView } from './rows-view.ts';
import { outputPathsOf, summaryJson, summaryLines } from './summary-view.ts';

/** Rows shown at the end of a run. */
const SAMPLE_ROWS = 3;

/** The signals that stop a run: the first cleanly, the second at once. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What a followed run is given, beside its input. */
export interface FollowOptions {
  target: LocalTarget;
  context: CliContext;
  onClaimed?: LocalRunOptions['onClaimed'];
}

/** Runs, with progress on standard error; the first Ctrl-C or SIGTERM stops cleanly, the second at once. */
export async function followRun(
  input: unknown,
  { target, context: { err }, onClaimed }: FollowOptions,
): Promise<LocalRunResult> {
  const reporter = createProgressReporter(err);
  const abort = new AbortController();
  const onStop = () => {
    if (abort.signal.aborted) process.exit(EXIT_INTERRUPTED);
    err.write('\nStopping; press Ctrl-C again to stop at once. Either way the run can be resumed.\n');
    abort.abort(new Error('Interrupted.'));
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  try {
    return await runLocally(input, {
      target,
      random: Math.random,
      onProgress: reporter.report,
      signal: abort.signal,
      ...(onClaimed === undefined ? {} : { onClaimed }),
    });
  } finally {
    for (const signal of STOP_SIGNALS) process.off(signal, onStop);
    reporter.stop();
  }
}

/** How a result is shown. */
export interface ReportOptions {
  dir: string;
  json?: boolean;
  /** Jobs go on when this process has ended. */
  jobsGoOn: boolean;
}

/** Prints how a run ended; throws CliError where it did not come to its end. */
export async function reportRun(
  result: LocalRunResult,
  { dir, json, jobsGoOn }: ReportOptions,
  context: CliContext,
): Promise<void> {
  switch (result.kind) {
    case 'finished': {
      const { summary } = result;
      if (json) context.out.write(`${JSON.stringify(summaryJson(summary, dir), null, 2)}\n`);
      else await printSummary(result, dir, context);
      if (summary.rows.succeeded < summary.rows.total) context.exitStatus = EXIT_INCOMPLETE;
      return;
    }
    case 'failed':
      throw new CliError(result.error, result.message);
    case 'aborted':
      throw new CliError('Stopped', stoppedMessage(result.runId, { dir, jobsGoOn }), EXIT_INTERRUPTED);
  }
}

/** ` --dir …`, for a command in a message; empty for the default. */
export function dirFlag(directory: string): string {
  return directory === '.quarry' ? '' : ` --dir ${directory}`;
}

function stoppedMessage(runId: string | undefined, { dir, jobsGoOn }: ReportOptions): string {
  if (runId === undefined) return 'Nothing was sent yet. The same command starts the run again.';
  const jobs = jobsGoOn
    ? 'Jobs that were submitted go on, and are harvested when the run is resumed.'
    : 'Jobs that were submitted wait in the emulator until the run is resumed.';
  return `${jobs} To go on: quarry resume ${runId}${dirFlag(dir)}. To stop its jobs too: quarry cancel ${runId}${dirFlag(dir)}.`;
}

async function printSummary(
  { summary }: Extract<LocalRunResult, { kind: 'finished' }>,
  directory: string,
  { out }: CliContext,
): Promise<void> {
  out.write(`${summaryLines(summary, directory).join('\n')}\n`);
  const rows = await Array.fromAsync(readResults(outputPathsOf(summary, directory), { head: SAMPLE_ROWS }));
  out.write(`\n${rowsView(rows, { columns: sampleColumns(rows), width: out.columns })}\n`);
  if (summary.simulated) {
    out.write('\nThe answers are by a simulated model: no real model was called and nothing was paid.\n');
  }
  out.write(`\nAll rows: quarry results ${summary.run_id}${dirFlag(directory)}\n`);
  if (summary.status === 'cancelled') {
    out.write(`To go on: quarry resume ${summary.run_id}${dirFlag(directory)}\n`);
  }
}

/** A sample shows the dataset's columns, the answer, and errors only where there are some. */
function sampleColumns(rows: readonly Record<string, unknown>[]): string[] {
  const quiet = ['error_code', 'error_message'];
  const never = ['stop_reason', 'input_tokens', 'output_tokens', 'attempts'];
  return Object.keys(rows[0] ?? {}).filter(
    (column) =>
      !never.includes(column) && (!quiet.includes(column) || rows.some((row) => row[column] !== null)),
  );
}
