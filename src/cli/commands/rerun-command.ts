import type { Command } from 'commander';
import { failOnOf } from '../../core/jobs/answer-flaws.ts';
import { InvalidRunInputError, type RerunRequest } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addRunFlags, runInputOf } from '../options/run-flags.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { followRun, reportRun } from './follow-run.ts';
import { NOTIFY_HELP, OUTPUT_HELP, WATCH_HELP } from './run-command.ts';

interface RerunOptions extends TargetOptions {
  failed?: boolean;
  truncated?: boolean;
  refused?: boolean;
  output?: string;
  json?: boolean;
  watch?: boolean;
  [flag: string]: unknown;
}

/** `quarry rerun`: a new run that sends only what has no good answer in another one, and has the whole table. */
export function addRerunCommand(program: Command, context: CliContext): void {
  const command = program
    .command('rerun')
    .argument('[run]', RUN_ARGUMENT)
    .description(
      'Start a new run over the dataset of a finished one: its good answers are kept, the rows that are named are sent again, with whatever flags change. Rows without an answer always are.',
    )
    .option('--failed', 'send rows again that have no answer')
    .option('--truncated', 'send rows again whose answer was cut off')
    .option('--refused', 'send rows again whose answer was refused or withheld')
    .option('--output <path>', OUTPUT_HELP)
    .option('--notify <command|url>', NOTIFY_HELP)
    .option('--watch', WATCH_HELP)
    .option('--json', 'print the summary as JSON, and nothing else');
  addRunFlags(addTargetOptions(command)).action((name: string | undefined, options: RerunOptions) =>
    rerun(name, options, context),
  );
}

async function rerun(name: string | undefined, options: RerunOptions, context: CliContext): Promise<void> {
  const { dir, output, json, watch = false } = options;
  const rows = (['failed', 'truncated', 'refused'] as const).filter((flag) => options[flag] === true);
  if (rows.length === 0) {
    throw new InvalidRunInputError(
      'Say which rows are sent again: --failed, --truncated, --refused, or several of them. Rows without an answer always are.',
    );
  }
  const command = { quarry: quarryOf(options), context, dir, isDrawn: watch };
  const changes = await runInputOf(options);
  const runId = await command.quarry.find(name);
  const request = { ...changes, rows } as RerunRequest;
  const ended = await followRun(command, (follow) =>
    command.quarry.rerun(runId, request, { ...follow, output }),
  );
  await reportRun(ended, { ...command, json, failOn: failOnOf(changes) });
}
