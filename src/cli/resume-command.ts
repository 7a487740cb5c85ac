import type { Command } from 'commander';
import { reopenCancelled } from '../steps/cancellation.ts';
import type { CliContext } from './cli-context.ts';
import { isDeployed, resumeDeployed } from './deployed-run.ts';
import { followRun, reportRun } from './follow-run.ts';
import { openRunFiles } from './run-files.ts';
import { findRun, inputOf } from './run-store.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from './target-options.ts';

/** `quarry resume`: takes up a run that was stopped, killed, cancelled, or that failed. */
export function addResumeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('resume')
    .argument('<run>', 'the run’s id')
    .description('Go on with a run that was stopped, killed or cancelled, or that failed.')
    .option('--json', 'print the summary as JSON, and nothing else');
  addTargetOptions(command).action(async (runId: string, options: TargetOptions & { json?: boolean }) => {
    using files = openRunFiles(await chooseTarget(options, { runId, sendsJobs: true }), options.dir);
    const { plan } = await findRun(files, runId);
    const result = isDeployed(files)
      ? await resumeDeployed(runId, { files, context })
      : await followRun(inputOf(plan), {
          files,
          context,
          onClaimed: (layout) => reopenCancelled(layout, files.store),
        });
    await reportRun(result, { files, json: options.json }, context);
  });
}
