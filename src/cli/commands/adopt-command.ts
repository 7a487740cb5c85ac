import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { printable } from '../views/format.ts';
import { pasteable } from '../views/pasteable.ts';

/** `quarry adopt`: gives jobs that no run knows back to their runs. */
export function addAdoptCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('adopt')
    .argument('[run]', 'the run’s id; all runs unless given')
    .description('Give jobs that no run knows (quarry jobs --orphans) back to their runs.')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action(
    async (runId: string | undefined, options: TargetOptions & { json?: boolean }) => {
      const adoptions = await quarryOf(options).adopt(runId);
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
            ? `${job.jobName}: adopted. To collect it: ${pasteable(`resume ${job.runId}`, options.dir)}\n`
            : `${job.jobName}: left as it is, ${printable(refusal.replace(/\.$/, ''))}.\n`,
        );
      }
    },
  );
}
