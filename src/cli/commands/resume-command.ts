import { type Command, InvalidArgumentError } from 'commander';
import { findRun, inputOf } from '../../runs/run-store.ts';
import { limitsOf } from '../../steps/plan/run-identity.ts';
import { reopenCancelled } from '../../steps/run/cancellation.ts';
import { openRunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { isDeployed, resumeDeployed } from './deployed-run.ts';
import { followRun, reportRun } from './follow-run.ts';

interface ResumeOptions extends TargetOptions {
  maxCostUsd?: number;
  timeoutHours?: number;
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
    .option('--timeout-hours <n>', 'hours after which Bedrock ends a job from now on, 24 to 168', toHours)
    .option('--json', 'print the summary as JSON, and nothing else');
  addTargetOptions(command).action(async (runId: string, options: ResumeOptions) => {
    using files = openRunFiles(await chooseTarget(options, { runId, sendsJobs: true }), options.dir);
    const { plan, summary } = await findRun(files, runId);
    const changes = limitsOf({ max_cost_usd: options.maxCostUsd, timeout_hours: options.timeoutHours });
    const result = isDeployed(files)
      ? await resumeDeployed(runId, { files, context, changes })
      : await followRun(
          { ...inputOf(plan), ...changes },
          {
            files,
            context,
            onClaimed: (layout) => reopenCancelled(layout, files.store),
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
