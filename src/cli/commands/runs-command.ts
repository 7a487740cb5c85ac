import type { Command } from 'commander';
import { listKnownRuns } from '../../runs/known-runs.ts';
import { listRuns } from '../../runs/run-store.ts';
import { placeOf } from '../../runs/run-target.ts';
import { openRunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { rowsView } from '../views/rows-view.ts';
import { executionStates, isDeployed } from './deployed-run.ts';

/** `quarry runs`: every run of a target, the newest first, and those of other places that are remembered. */
export function addRunsCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('runs')
    .description('List the runs of this folder, or of the target that the options name.')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action(async (options: TargetOptions & { json?: boolean }) => {
    using files = openRunFiles(await chooseTarget(options), options.dir);
    const at = placeOf(files.target);
    const executions = isDeployed(files) ? await executionStates(files) : new Map<string, string>();
    const stored = (await listRuns(files)).map(({ plan, summary }) => ({
      run_id: plan.run_id,
      at,
      status: summary?.status ?? executions.get(plan.run_id) ?? 'unfinished',
      rows: plan.selected_rows,
      answered: summary?.rows.succeeded ?? null,
      model: plan.model.model_id,
      started: plan.created_at,
    }));
    // Without asking AWS of each: `quarry status` does.
    const elsewhere = (options.target === undefined ? await listKnownRuns(options.dir) : [])
      .map(({ run_id, target }) => ({ run_id, at: placeOf(target) }))
      .filter((run) => run.at !== at)
      .map((run) => ({ ...run, status: null, rows: null, answered: null, model: null, started: null }));
    const rows = [...stored, ...elsewhere];
    if (options.json) out.write(`${JSON.stringify(rows, null, 2)}\n`);
    else if (rows.length > 0) out.write(`${rowsView(rows, { width: out.columns })}\n`);
    else out.write(`There are no runs in ${at === 'local' ? options.dir : at} yet.\n`);
  });
}
