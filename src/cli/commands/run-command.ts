import type { Command } from 'commander';
import { failOnOf } from '../../core/jobs/answer-flaws.ts';
import type { CliContext } from '../cli-context.ts';
import { DATASET_ARGUMENT, givenRequest } from '../options/given-request.ts';
import { addRunFlags } from '../options/run-flags.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { followRun, reportRun } from './follow-run.ts';

/** What a command says of `--output`. */
export const OUTPUT_HELP =
  'where the results are put at the end: a folder, or one file that ends in .parquet, .csv or .jsonl';

/** What a command says of `--notify`. */
export const NOTIFY_HELP =
  'who is told when it has ended or failed: a command, which gets JSON on its standard input, or the URL of a webhook';

/** What a command says of `--watch`. */
export const WATCH_HELP = 'on a terminal, show the full view of quarry watch while it runs';

/** `quarry run`: a dataset through the whole workflow. */
export function addRunCommand(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .argument('[dataset...]', DATASET_ARGUMENT)
    .description('Run a prompt or an embedding model over every row of a dataset.')
    .option('--input <file>', 'run input, a JSON or YAML document; flags override its keys')
    .option('--output <path>', OUTPUT_HELP)
    .option('--notify <command|url>', NOTIFY_HELP)
    .option('--watch', WATCH_HELP)
    .option('--json', 'print the summary as JSON, and nothing else');
  addRunFlags(addTargetOptions(command)).action(async (datasets: string[], options: RunOptions) => {
    await run(datasets, options, context);
  });
}

interface RunOptions extends TargetOptions {
  input?: string;
  output?: string;
  json?: boolean;
  watch?: boolean;
  [flag: string]: unknown;
}

async function run(datasets: string[], options: RunOptions, context: CliContext): Promise<void> {
  const { dir, output, json, watch = false } = options;
  const command = { quarry: quarryOf(options), context, dir, isDrawn: watch };
  const request = await givenRequest(datasets, options, context);
  const ended = await followRun(command, (follow) => command.quarry.run(request, { ...follow, output }));
  await reportRun(ended, { ...command, json, failOn: failOnOf(request) });
}
