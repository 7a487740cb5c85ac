import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { pasteable } from '../views/pasteable.ts';
import { reportRun, withProgress } from './follow-run.ts';

interface CancelOptions extends TargetOptions {
  json?: boolean;
  now?: boolean;
}

/** `quarry cancel`: stops a run's jobs, collects what they had done, and writes the summary. */
export function addCancelCommand(program: Command, context: CliContext): void {
  const command = program
    .command('cancel')
    .argument('[run]', RUN_ARGUMENT)
    .description('Stop a run: nothing more is sent, its jobs are stopped, what they had done is kept.')
    .option('--now', 'aws: stop the execution too, and collect nothing yet')
    .option('--json', 'print the summary as JSON, and nothing else');
  addTargetOptions(command).action((name: string | undefined, options: CancelOptions) =>
    cancel(name, options, context),
  );
}

async function cancel(name: string | undefined, options: CancelOptions, context: CliContext): Promise<void> {
  const { dir, json, now } = options;
  const command = { quarry: quarryOf(options), context, dir };
  const { quarry } = command;
  const runId = await quarry.find(name);
  const result = await withProgress(command, (follow) => quarry.cancel(runId, { ...follow, now }));
  if (result.kind !== 'stopped') {
    const { summary } = result;
    return reportRun({ summary, files: await quarry.files(runId) }, { ...command, json });
  }
  const { executionName, stoppedJobs } = result;
  const message = `The execution ${executionName} and ${stoppedJobs.length} jobs of run ${runId} are stopped. What the jobs had done is not collected yet.\nTo collect it: ${pasteable(`cancel ${runId}`, dir)}\nTo continue: ${pasteable(`resume ${runId}`, dir)}`;
  const report = { run_id: runId, status: 'stopped', message };
  context.out.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${message}\n`);
}
