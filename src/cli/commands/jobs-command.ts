import type { Command } from 'commander';
import type { QuarryJob } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { printable } from '../views/format.ts';
import { rowsView } from '../views/rows-view.ts';

interface JobsOptions extends TargetOptions {
  orphans?: boolean;
  json?: boolean;
}

/** `quarry jobs`: the model invocation jobs of this store's runs, and those that no run knows. */
export function addJobsCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('jobs')
    .description('List the model invocation jobs of the runs in the store.')
    .option('--orphans', 'only jobs that no run knows: quarry adopt gives them back')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action(async (options: JobsOptions) => {
    const jobs = await quarryOf(options).jobs();
    const rows = jobs
      .filter(({ orphan, fault }) => orphan || fault !== undefined || !options.orphans)
      .map(toRow);
    if (options.json) out.write(`${JSON.stringify(rows, null, 2)}\n`);
    else if (rows.length > 0) {
      const table = rowsView(
        rows.map(({ fault: _, ...row }) => row),
        { width: out.columns },
      );
      out.write(`${[table, ...rows.flatMap(({ fault }) => fault ?? []).map(printable)].join('\n')}\n`);
    } else out.write(options.orphans ? 'Every job is known to its run.\n' : 'There are no jobs yet.\n');
  });
}

function toRow(job: QuarryJob) {
  const { jobArn, jobName, status, submittedAt, runId, partId, attempt, orphan, fault } = job;
  return {
    job: jobName,
    status,
    run_id: runId,
    part: partId,
    attempt,
    orphan,
    submitted: submittedAt,
    job_arn: jobArn,
    ...(fault === undefined ? {} : { fault }),
  };
}
