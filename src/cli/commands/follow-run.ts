import { type AnswerFlaw, countUnwanted, failOnOf } from '../../core/jobs/answer-flaws.ts';
import {
  type FollowOptions,
  OutputNotWrittenError,
  type Quarry,
  type QuarryEvent,
  type Run,
  RunDetachedError,
  RunStoppedError,
  type RunSummary,
  runIdOf,
} from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError, EXIT_INCOMPLETE, EXIT_INTERRUPTED } from '../cli-error.ts';
import { withStopSignals } from '../stop-signals.ts';
import { shellWord } from '../views/format.ts';
import { pasteable } from '../views/pasteable.ts';
import { printSummary } from '../views/print-summary.ts';
import { createProgressReporter, type ProgressReporter } from '../views/progress-reporter.ts';
import { summaryJson } from '../views/summary-view.ts';
import { drawViews, hasFullTerminal } from '../watch/full-view.ts';
import { createWatchingReporter } from '../watch/watching-reporter.ts';

/** What a command on a run has. */
export interface RunCommand {
  quarry: Quarry;
  context: CliContext;
  /** The folder of `--dir`. */
  dir: string;
  /** True where another process is working on the run, and it is only followed here. */
  isFollowed?: boolean;
  /** True where the full view is wanted. */
  isDrawn?: boolean;
}

/** A run that has ended, as it is shown. */
export interface EndedRun {
  summary: RunSummary;
  /** Its result files. */
  files: readonly string[];
}

const STOPPING = 'Stopping; press Ctrl-C again to stop at once. Either way the run can be resumed.';
const DETACHING = 'press Ctrl-C again to leave at once.';

/** Does work that tells of itself: on standard error, until it ends or Ctrl-C or SIGTERM stops it. */
export async function withProgress<T>(
  command: RunCommand,
  work: (options: Required<FollowOptions>) => Promise<T>,
): Promise<T> {
  const reporter = reporterOf(command);
  let isOnStack = false;
  const onProgress = (event: QuarryEvent): void => {
    switch (event.kind) {
      case 'notice':
        reporter.say(event.message);
        return;
      case 'execution': {
        isOnStack = true;
        const place = `${event.executionName} of the stack "${event.stackName}" in ${event.region}`;
        if (event.how === 'started') reporter.say(`Started the execution ${place}.`);
        if (event.how === 'joined')
          reporter.say(`The execution ${place} is already working on the run: following it.`);
        return;
      }
      default:
        reporter.report(event);
    }
  };
  try {
    return await withStopSignals(
      (signal) => work({ onProgress, signal }),
      () => {
        if (isOnStack) reporter.say(`\nThe run continues on AWS; ${DETACHING}`);
        else reporter.say(command.isFollowed ? `\nThe run goes on; ${DETACHING}` : `\n${STOPPING}`);
      },
    );
  } catch (error) {
    throw await explain(error, command);
  } finally {
    await reporter.stop();
  }
}

/** The live block or lines; where it is wanted and there is a terminal for it, the full view while the run goes on. */
function reporterOf({ quarry, context, isDrawn = false }: RunCommand): ProgressReporter {
  const { in: input, err: output } = context;
  const live = createProgressReporter(output);
  if (!isDrawn || !hasFullTerminal(input, output)) return live;
  return createWatchingReporter({
    live,
    interrupt: () => void process.kill(process.pid, 'SIGINT'),
    draw: (runId, signal) =>
      drawViews((until) => quarry.watch(runId, { signal: until }), {
        ...{ in: input, output, signal },
        leaving: 'q close this view',
      }),
  });
}

/** Follows a run to its end. */
export function followRun(
  command: RunCommand,
  begin: (options: Required<FollowOptions>) => Promise<Run>,
): Promise<EndedRun> {
  return withProgress(command, async (options) => {
    const run = await begin(options);
    return { summary: await run.result, files: await run.files };
  });
}

/** How a run that has ended is shown. */
export interface ReportOptions {
  json: boolean | undefined;
  /** Flaws of answers that count as failures. @default those of the run's own input */
  failOn?: readonly AnswerFlaw[];
}

/** Prints how a run ended. */
export async function reportRun(
  { summary, files }: EndedRun,
  { json, failOn, ...command }: RunCommand & ReportOptions,
): Promise<void> {
  const { context } = command;
  if (json) context.out.write(`${JSON.stringify(summaryJson(summary, files), null, 2)}\n`);
  else await printSummary({ summary, files }, command);
  if (countUnwanted(summary, failOn ?? failOnOf(summary.input)) > 0) context.exitStatus = EXIT_INCOMPLETE;
}

/** The error with what a user can do about it. */
async function explain(error: unknown, { quarry, dir }: RunCommand): Promise<unknown> {
  const runId = runIdOf(error);
  if (error instanceof RunStoppedError) {
    return new CliError('Stopped', await stoppedMessage(runId, quarry, dir), {
      exitStatus: EXIT_INTERRUPTED,
      status: 'stopped',
      runId,
    });
  }
  if (error instanceof RunDetachedError) {
    const isOnStack = runId === undefined || (await quarry.target(runId)).kind === 'aws';
    return detachedError(error, { dir, isOnStack });
  }
  if (error instanceof OutputNotWrittenError) {
    const { name, message, output } = error;
    const command = pasteable(`results ${runId} --output ${shellWord(output)}`, dir);
    return new CliError(name, `${message}\nOnce that is mended, or with another place: ${command}`, {
      runId,
    });
  }
  if (runId === undefined) return error;
  const { name, message } = error as Error;
  return new CliError(name, `${message}${resumeHint({ runId, name }, dir)}`, { runId });
}

/** How to go on with a run that was planned, once what broke it is mended; or where to look, if another process has it. */
function resumeHint({ runId, name }: { runId: string; name: string }, dir: string): string {
  if (name === 'LedgerMismatchError') return '';
  if (name === 'RunBusyError') {
    return `\nTo follow it: ${pasteable(`status ${runId}`, dir)}\nTo stop it: ${pasteable(`cancel ${runId}`, dir)}`;
  }
  return `\nNo work is lost. Once that is fixed: ${pasteable(`resume ${runId}`, dir)}`;
}

function detachedError(
  error: RunDetachedError,
  { dir, isOnStack }: { dir: string; isOnStack: boolean },
): CliError {
  const goesOn = isOnStack ? 'The run continues on AWS' : 'The run goes on in its own process';
  const runId = runIdOf(error);
  const advice =
    runId === undefined
      ? ' To follow it again, run the same command.'
      : `\nTo follow it again: ${pasteable(`status ${runId} --follow`, dir)}\nTo stop it: ${pasteable(`cancel ${runId}`, dir)}`;
  const { fault } = error;
  return fault === undefined
    ? new CliError('Detached', `${goesOn}.${advice}`, {
        exitStatus: EXIT_INTERRUPTED,
        status: 'detached',
        runId,
      })
    : new CliError(fault.name, `${fault.message}\n${goesOn} all the same.${advice}`, {
        status: 'detached',
        runId,
      });
}

async function stoppedMessage(runId: string | undefined, quarry: Quarry, dir: string): Promise<string> {
  if (runId === undefined) return 'Nothing was sent yet. The same command starts the run again.';
  const target = await quarry.target(runId);
  const jobs =
    target.kind !== 'local'
      ? 'Jobs that were submitted keep running at Bedrock, and are collected when the run is resumed.'
      : target.emulator_url !== null
        ? 'Jobs that were submitted keep running, and are collected when the run is resumed.'
        : 'Jobs that were submitted wait in the emulator until the run is resumed.';
  return `${jobs}\nTo continue: ${pasteable(`resume ${runId}`, dir)}\nTo stop its jobs too: ${pasteable(`cancel ${runId}`, dir)}`;
}
