import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { openRunFiles } from './run-files.ts';
import { progressLines, readProgress } from './run-progress-view.ts';
import { findRun } from './run-store.ts';
import { outputPathsOf, summaryJson, summaryLines } from './summary-view.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from './target-options.ts';

/** `quarry status`: where a run stands. */
export function addStatusCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('status')
    .argument('<run>', 'the run’s id')
    .description('Show where a run stands.')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action(async (runId: string, options: TargetOptions & { json?: boolean }) => {
    using files = openRunFiles(await chooseTarget(options, { runId }), options.dir);
    const { store } = files;
    const run = await findRun(files, runId);
    if (run.summary !== undefined) {
      const paths = outputPathsOf(run.summary, store);
      out.write(
        options.json
          ? `${JSON.stringify(summaryJson(run.summary, paths), null, 2)}\n`
          : `${summaryLines(run.summary, paths).join('\n')}\n`,
      );
      return;
    }
    const state = await readProgress(run, store);
    out.write(
      options.json
        ? `${JSON.stringify(state, null, 2)}\n`
        : `${progressLines(state, options.dir).join('\n')}\n`,
    );
  });
}
