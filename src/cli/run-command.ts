import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { followRun, reportRun } from './follow-run.ts';
import { givenRunInput, inOwnWords, requireLocalTarget } from './given-run-input.ts';
import { addLocalOptions, type LocalOptions, openTarget } from './local-options.ts';
import { addRunFlags } from './run-flags.ts';

/** `quarry run`: a dataset through the whole workflow. */
export function addRunCommand(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .argument('[dataset]', 'a local file or folder, s3://bucket/key, or hf:owner/name')
    .description('Run a prompt or an embedding model over every row of a dataset.')
    .option('--input <file>', 'run input, a JSON document; flags override its keys')
    .option('--target <target>', 'local, bedrock or aws', 'local')
    .option('--json', 'print the summary as JSON, and nothing else');
  addRunFlags(addLocalOptions(command)).action(async (dataset: string | undefined, options: RunOptions) => {
    try {
      await run(dataset, options, context);
    } catch (error) {
      if (options.json) {
        const { name, message } = error as Error;
        context.out.write(`${JSON.stringify({ status: 'refused', error: name, message }, null, 2)}\n`);
      }
      throw error;
    }
  });
}

interface RunOptions extends LocalOptions {
  input?: string;
  target: string;
  json?: boolean;
  [flag: string]: unknown;
}

async function run(dataset: string | undefined, options: RunOptions, context: CliContext): Promise<void> {
  requireLocalTarget(options.target);
  const input = await givenRunInput(dataset, { ...options });
  await using target = await openTarget(options);
  await inOwnWords(dataset, input, async () => {
    const result = await followRun(input, { target, context });
    await reportRun(result, { ...options, jobsGoOn: options.emulator !== undefined }, context);
  });
}
