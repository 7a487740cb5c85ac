import type { Command } from 'commander';
import { InvalidRunInputError, NotSupportedError } from '../core/errors.ts';
import { LOCAL_BUCKET, sha256 } from '../local/local-target.ts';
import { stageDataset } from '../local/stage-dataset.ts';
import type { CliContext } from './cli-context.ts';
import { followRun, reportRun } from './follow-run.ts';
import { addLocalOptions, type LocalOptions, openTarget } from './local-options.ts';
import { addRunFlags, runInputOf } from './run-flags.ts';

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
  if (dataset === undefined && options.input === undefined) {
    throw new InvalidRunInputError(
      'Name a DATASET (a file, a folder, s3://… or hf:…), or a run input with --input.',
    );
  }
  const input = await runInputOf(options, await datasetKeys(dataset, options.dir));
  await using target = await openTarget(options);
  const result = await followRun(input, { target, context });
  await reportRun(result, { ...options, jobsGoOn: options.emulator !== undefined }, context);
}

function requireLocalTarget(target: string): void {
  if (target === 'local') return;
  if (target === 'bedrock' || target === 'aws') {
    throw new NotSupportedError(
      `--target ${target} is not yet supported by this version. Use --target local.`,
    );
  }
  throw new InvalidRunInputError(`--target "${target}" is unknown. Targets: local, bedrock, aws.`);
}

async function datasetKeys(dataset: string | undefined, directory: string) {
  if (dataset === undefined) return undefined;
  if (dataset.startsWith('s3://')) return { s3_uri: dataset };
  if (dataset.startsWith('hf:')) return { dataset_id: dataset.slice('hf:'.length) };
  return { s3_uri: await stageDataset(dataset, { directory, bucket: LOCAL_BUCKET, hash: sha256 }) };
}
