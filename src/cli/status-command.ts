import type { Command } from 'commander';
import { LOCAL_BUCKET } from '../local/local-target.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import type { CliContext } from './cli-context.ts';
import { progressLines, readProgress } from './run-progress-view.ts';
import { findRun } from './run-store.ts';
import { summaryJson, summaryLines } from './summary-view.ts';

/** `quarry status`: where a run stands. */
export function addStatusCommand(program: Command, { out }: CliContext): void {
  program
    .command('status')
    .argument('<run>', 'the run’s id')
    .description('Show where a run stands.')
    .option('--dir <directory>', 'the local store', '.quarry')
    .option('--json', 'print as JSON')
    .action(async (runId: string, { dir, json }: { dir: string; json?: boolean }) => {
      const store = createDirectoryStore(dir);
      const run = await findRun(store, LOCAL_BUCKET, runId);
      if (run.summary !== undefined) {
        out.write(
          json
            ? `${JSON.stringify(summaryJson(run.summary, dir), null, 2)}\n`
            : `${summaryLines(run.summary, dir).join('\n')}\n`,
        );
        return;
      }
      const state = await readProgress(run, store);
      out.write(json ? `${JSON.stringify(state, null, 2)}\n` : `${progressLines(state).join('\n')}\n`);
    });
}
