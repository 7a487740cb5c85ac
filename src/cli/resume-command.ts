import type { Command } from 'commander';
import { LOCAL_BUCKET } from '../local/local-target.ts';
import { reopenCancelled } from '../steps/cancellation.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import type { CliContext } from './cli-context.ts';
import { followRun, reportRun } from './follow-run.ts';
import { addLocalOptions, type LocalOptions, openTarget } from './local-options.ts';
import { findRun, inputOf } from './run-store.ts';

/** `quarry resume`: takes up a run that was stopped, killed, cancelled, or that failed. */
export function addResumeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('resume')
    .argument('<run>', 'the run’s id')
    .description('Go on with a run that was stopped, killed or cancelled, or that failed.')
    .option('--json', 'print the summary as JSON, and nothing else');
  addLocalOptions(command).action(async (runId: string, options: LocalOptions & { json?: boolean }) => {
    const { plan } = await findRun(createDirectoryStore(options.dir), LOCAL_BUCKET, runId);
    await using target = await openTarget(options);
    const result = await followRun(inputOf(plan), {
      target,
      context,
      onClaimed: (layout) => reopenCancelled(layout, target.store),
    });
    await reportRun(result, { ...options, jobsGoOn: options.emulator !== undefined }, context);
  });
}
