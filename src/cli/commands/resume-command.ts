import { type Command, InvalidArgumentError, Option } from 'commander';
import { BudgetMode } from '../../core/run/budget.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { followRun, reportRun } from './follow-run.ts';
import { NOTIFY_HELP, OUTPUT_HELP, WATCH_HELP } from './run-command.ts';

interface ResumeOptions extends TargetOptions {
  maxCostUsd?: number;
  budgetMode?: BudgetMode;
  timeoutHours?: number;
  maxAttempts?: number;
  resendMissing?: boolean;
  output?: string;
  watch?: boolean;
  json?: boolean;
}

/** `quarry resume`: takes up a run that was stopped, killed, cancelled, or that failed. */
export function addResumeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('resume')
    .argument('[run]', RUN_ARGUMENT)
    .description('Continue a run that was stopped, killed or cancelled, or that failed.')
    .option(
      '--max-cost-usd <usd>',
      'spend no more than this in all; a run that its budget had stopped continues',
      toUsd,
    )
    .addOption(
      new Option(
        '--budget-mode <mode>',
        'hold the next part against that limit as it is expected, or at its worst',
      ).choices(BudgetMode.options),
    )
    .option('--max-attempts <n>', 'send a row at most this many times', toAttempts)
    .option(
      '--resend-missing',
      'send the records of jobs again whose paid answers are lost for good, and pay for them again',
    )
    .option('--timeout-hours <n>', 'hours after which Bedrock ends a job from now on, 24 to 168', toHours)
    .option('--output <path>', `${OUTPUT_HELP} (default: where run was told to)`)
    .option('--notify <command|url>', NOTIFY_HELP)
    .option('--watch', WATCH_HELP)
    .option('--json', 'print the summary as JSON, and nothing else');
  addTargetOptions(command).action(async (name: string | undefined, options: ResumeOptions) => {
    const {
      dir,
      json,
      watch = false,
      maxCostUsd,
      budgetMode,
      timeoutHours,
      maxAttempts,
      resendMissing,
      output,
    } = options;
    const command = { quarry: quarryOf(options), context, dir, isDrawn: watch };
    const runId = await command.quarry.find(name);
    const ended = await followRun(command, (follow) =>
      command.quarry.resume(runId, {
        ...follow,
        maxCostUsd,
        budgetMode,
        timeoutHours,
        maxAttempts,
        resendMissing,
        output,
      }),
    );
    await reportRun(ended, { ...command, json });
  });
}

function toUsd(text: string): number {
  const usd = Number(text);
  if (!(usd > 0) || !Number.isFinite(usd)) throw new InvalidArgumentError('It is not a sum above 0.');
  return usd;
}

function toHours(text: string): number {
  const hours = Number(text);
  if (!Number.isInteger(hours) || hours < 24 || hours > 168) {
    throw new InvalidArgumentError('It is not a whole number of hours from 24 to 168.');
  }
  return hours;
}

function toAttempts(text: string): number {
  const attempts = Number(text);
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 10) {
    throw new InvalidArgumentError('It is not a whole number from 1 to 10.');
  }
  return attempts;
}
