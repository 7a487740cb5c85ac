import type { Command } from 'commander';
import { createJobControl } from '../bedrock/job-control.ts';
import { adoptJobs } from '../local/adopt-jobs.ts';
import { LOCAL_BUCKET } from '../local/local-target.ts';
import type { CliContext } from './cli-context.ts';
import { dirFlag } from './follow-run.ts';
import { addLocalOptions, type LocalOptions, openTarget } from './local-options.ts';
import { findRun } from './run-store.ts';

/** `quarry adopt`: gives jobs that no run knows back to their runs. */
export function addAdoptCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('adopt')
    .argument('[run]', 'the run’s id; all runs unless given')
    .description('Give jobs that no run knows (quarry jobs --orphans) back to their runs.')
    .option('--json', 'print as JSON');
  addLocalOptions(command).action(
    async (runId: string | undefined, options: LocalOptions & { json?: boolean }) => {
      await using target = await openTarget(options);
      if (runId !== undefined) await findRun(target.store, LOCAL_BUCKET, runId);
      const jobs = createJobControl(target.control);
      const adoptions = await adoptJobs({ store: target.store, jobs, bucket: LOCAL_BUCKET }, runId);
      if (options.json) {
        const rows = adoptions.map(({ job, refusal }) => ({
          job_arn: job.jobArn,
          run_id: job.runId,
          part: job.partId,
          adopted: refusal === undefined,
          refusal: refusal ?? null,
        }));
        out.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      if (adoptions.length === 0) out.write('Every job is known to its run.\n');
      for (const { job, refusal } of adoptions) {
        out.write(
          refusal === undefined
            ? `${job.jobName}: adopted. Harvest it: quarry resume ${job.runId}${dirFlag(options.dir)}\n`
            : `${job.jobName}: left as it is, ${refusal}.\n`,
        );
      }
    },
  );
}
