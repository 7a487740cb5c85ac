import { type Command, InvalidArgumentError } from 'commander';
import { findRun, inputOf } from '../../runs/run-store.ts';
import { limitsOf } from '../../steps/plan/run-identity.ts';
import { takeUp } from '../../steps/run/take-up.ts';
import { openRunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { count } from '../views/format.ts';
import { isDeployed, resumeDeployed } from './deployed-run.ts';
import { followRun, reportRun } from './follow-run.ts';

interface ResumeOptions extends TargetOptions {
  maxCostUsd?: number;
  timeoutHours?: number;
  maxAttempts?: number;
  resendMissing?: boolean;
  json?: boolean;
}

/** `quarry resume`: takes up a run that was stopped, killed, cancelled, or that failed. */
export function addResumeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('resume')
    .argument('<run>', 'the run’s id')
    .description('Go on with a run that was stopped, killed or cancelled, or that failed.')
    .option(
      '--max-cost-usd <usd>',
      'spend no more than this from now on, in all; a run that its budget ended goes on',
      toUsd,
    )
    .option('--max-attempts <n>', 'send a row so often at most from now on', toAttempts)
    .option(
      '--resend-missing',
      'send the records of jobs again whose paid answers are lost for good, and pay for them again',
    )
    .option('--timeout-hours <n>', 'hours after which Bedrock ends a job from now on, 24 to 168', toHours)
    .option('--json', 'print the summary as JSON, and nothing else');
  addTargetOptions(command).action(async (runId: string, options: ResumeOptions) => {
    using files = openRunFiles(await chooseTarget(options, { runId, sendsJobs: true }), options.dir);
    const { plan, summary } = await findRun(files, runId);
    const changes = limitsOf({ max_cost_usd: options.maxCostUsd, timeout_hours: options.timeoutHours });
    const grants = { maxAttempts: options.maxAttempts, resendMissing: options.resendMissing };
    const result = isDeployed(files)
      ? await resumeDeployed(runId, { files, context, changes, grants })
      : await followRun(
          { ...inputOf(plan), ...changes },
          {
            files,
            context,
            onClaimed: async (layout) => {
              const { exhausted } = await takeUp(layout, grants, files.store);
              if (exhausted > 0) context.err.write(exhaustedText(exhausted));
            },
            // A run that has ended sends nothing more.
            asks: summary === undefined ? plan.model.model_id : undefined,
          },
        );
    await reportRun(result, { files, json: options.json }, context);
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

/** What could be sent again and has no attempts left. */
function exhaustedText(exhausted: number): string {
  return `${count(exhausted, 'record')} could be sent again, but used up their attempts: --max-attempts grants more.\n`;
}
