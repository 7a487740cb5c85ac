import type { Command } from 'commander';
import { LOCAL_BUCKET } from '../local/local-target.ts';
import { createDirectoryStore } from '../store/directory-store.ts';
import type { CliContext } from './cli-context.ts';
import { rowsView } from './rows-view.ts';
import { listRuns } from './run-store.ts';

/** `quarry runs`: every run in the store, the newest first. */
export function addRunsCommand(program: Command, { out }: CliContext): void {
  program
    .command('runs')
    .description('List the runs in the store.')
    .option('--dir <directory>', 'the local store', '.quarry')
    .option('--json', 'print as JSON')
    .action(async ({ dir, json }: { dir: string; json?: boolean }) => {
      const runs = await listRuns(createDirectoryStore(dir), LOCAL_BUCKET);
      const rows = runs.map(({ plan, summary }) => ({
        run_id: plan.run_id,
        status: summary?.status ?? 'unfinished',
        rows: plan.selected_rows,
        answered: summary?.rows.succeeded ?? null,
        model: plan.model.model_id,
        started: plan.created_at,
      }));
      if (json) out.write(`${JSON.stringify(rows, null, 2)}\n`);
      else
        out.write(
          rows.length === 0
            ? `There are no runs in ${dir} yet.\n`
            : `${rowsView(rows, { width: out.columns })}\n`,
        );
    });
}
