import type { Command } from 'commander';
import type { ListedRun } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { age, printable, usd } from '../views/format.ts';
import { rowsView } from '../views/rows-view.ts';

/** `quarry runs`: every run of a target, the newest first, and those of other places that are remembered. */
export function addRunsCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('runs')
    .description(
      'List the runs of this folder and of every place that is known here, or of the target that the options name.',
    )
    .option('--json', 'print as JSON');
  addTargetOptions(command).action(async (options: TargetOptions & { json?: boolean }) => {
    const { at, runs } = await quarryOf(options).runs();
    if (options.json) out.write(`${JSON.stringify(runs, null, 2)}\n`);
    else if (runs.length > 0) out.write(`${runsText(runs, { width: out.columns, nowMs: Date.now() })}\n`);
    else out.write(`There are no runs in ${at === 'local' ? options.dir : at} yet.\n`);
  });
}

/** A table of runs, and below it what is wrong with those that cannot be read. */
export function runsText(
  runs: readonly ListedRun[],
  { width, nowMs }: { width: number; nowMs: number },
): string {
  const rows = runs.map(
    ({ run_id, at, status, rows: total, answered, cost_usd, billed, model, started }) => ({
      run_id,
      at,
      status,
      rows: total,
      answered,
      // What nobody paid is no cost.
      dollars: billed === true && cost_usd !== null ? usd(cost_usd) : null,
      age: started === null ? null : age(nowMs - Date.parse(started)),
      model,
    }),
  );
  const faults = runs.flatMap(({ fault }) => fault ?? []);
  return [rowsView(rows, { width }), ...faults.map(printable)].join('\n');
}
