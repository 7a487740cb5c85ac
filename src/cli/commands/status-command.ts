import type { Command } from 'commander';
import { InvalidRunInputError } from '../../core/errors.ts';
import { findRun } from '../../runs/run-store.ts';
import { openRunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { progressLines, readProgress } from '../views/run-progress-view.ts';
import { summaryText } from '../views/summary-view.ts';
import { isDeployed } from './deployed-run.ts';
import { showDeployedStatus } from './deployed-status.ts';

interface StatusOptions extends TargetOptions {
  follow?: boolean;
  json?: boolean;
}

/** `quarry status`: where a run stands. */
export function addStatusCommand(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .argument('<run>', 'the run’s id')
    .description('Show where a run stands.')
    .option('--follow', 'aws: show its progress until it has ended')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action((runId: string, options: StatusOptions) =>
    showStatus(runId, options, context),
  );
}

async function showStatus(runId: string, options: StatusOptions, context: CliContext): Promise<void> {
  const { follow = false, json = false } = options;
  using files = openRunFiles(await chooseTarget(options, { runId }), options.dir);
  if (isDeployed(files)) return await showDeployedStatus(runId, { files, context, follow, json });
  if (follow) {
    throw new InvalidRunInputError(
      '--follow goes with --target aws: other runs are followed where they run.',
    );
  }
  const run = await findRun(files, runId);
  if (run.summary !== undefined) {
    context.out.write(summaryText(run.summary, files.store, json));
    return;
  }
  const state = await readProgress(run, files.store);
  context.out.write(
    json ? `${JSON.stringify(state, null, 2)}\n` : `${progressLines(state, options.dir).join('\n')}\n`,
  );
}
