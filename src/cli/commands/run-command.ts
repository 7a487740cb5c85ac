import type { Command } from 'commander';
import { failOnOf } from '../../core/answer-flaws.ts';
import { openRunFiles } from '../../targets/run-files.ts';
import type { CliContext } from '../cli-context.ts';
import { givenRunInput, inOwnWords } from '../options/given-run-input.ts';
import { addRunFlags } from '../options/run-flags.ts';
import { addTargetOptions, chooseTarget, type TargetOptions } from '../options/target-options.ts';
import { isDeployed, runDeployed } from './deployed-run.ts';
import { requireFreeFolder } from './download-results.ts';
import { followRun, reportRun } from './follow-run.ts';
import { stageWithProgress } from './stage-with-progress.ts';

/** `quarry run`: a dataset through the whole workflow. */
export function addRunCommand(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .argument('[dataset]', 'a local file or folder, s3://bucket/key, or hf:owner/name')
    .description('Run a prompt or an embedding model over every row of a dataset.')
    .option('--input <file>', 'run input, a JSON document; flags override its keys')
    .option('--output <directory>', 'put the result files (Parquet) and the summary there at the end')
    .option('--json', 'print the summary as JSON, and nothing else');
  addRunFlags(addTargetOptions(command)).action(async (dataset: string | undefined, options: RunOptions) => {
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

interface RunOptions extends TargetOptions {
  input?: string;
  output?: string;
  json?: boolean;
  [flag: string]: unknown;
}

async function run(dataset: string | undefined, options: RunOptions, context: CliContext): Promise<void> {
  using files = openRunFiles(await chooseTarget(options, { sendsJobs: true }), options.dir);
  await files.requireReachable();
  if (options.output !== undefined) await requireFreeFolder(options.output);
  const input = await givenRunInput(dataset, {
    ...options,
    stage: (path) => stageWithProgress(path, { files, context }),
  });
  await inOwnWords(dataset, input, async () => {
    const result = isDeployed(files)
      ? await runDeployed(input, { files, context })
      : await followRun(input, {
          files,
          context,
          output: options.output,
          asks: String(input.model_id ?? ''),
        });
    await reportRun(
      result,
      { files, json: options.json, output: options.output, failOn: failOnOf(input) },
      context,
    );
  });
}
