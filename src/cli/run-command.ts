import type { Command } from 'commander';
import { systemClock } from '../core/clock.ts';
import { InvalidRunInputError, NotSupportedError } from '../core/errors.ts';
import { readResults } from '../dataset/read-results.ts';
import { LOCAL_BUCKET, type LocalTarget, openLocalTarget, sha256 } from '../local/local-target.ts';
import { type LocalRunResult, runLocally } from '../local/run-locally.ts';
import { stageDataset } from '../local/stage-dataset.ts';
import type { CliContext } from './cli-context.ts';
import { CliError, EXIT_FAILED, EXIT_INCOMPLETE } from './cli-error.ts';
import { createProgressReporter } from './progress-reporter.ts';
import { rowsView } from './rows-view.ts';
import { addRunFlags, runInputOf } from './run-flags.ts';
import { outputPathsOf, summaryJson, summaryLines } from './summary-view.ts';
import { VERSION } from './version.ts';

/** Rows shown at the end of a run. */
const SAMPLE_ROWS = 3;

/** `quarry run`: a dataset through the whole workflow. */
export function addRunCommand(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .argument('[dataset]', 'a local file or folder, s3://bucket/key, or hf:owner/name')
    .description('Run a prompt or an embedding model over every row of a dataset.')
    .option('--input <file>', 'run input, a JSON document; flags override its keys')
    .option('--target <target>', 'local, bedrock or aws', 'local')
    .option('--dir <directory>', 'the local store: s3://bucket/key is <directory>/bucket/key', '.quarry')
    .option('--model-endpoint <url>', 'let an OpenAI-compatible server answer instead of the simulated model')
    .option('--emulator <url>', 'use a Bedrock emulator that runs already (quarry emulate)')
    .option('--json', 'print the summary as JSON, and nothing else');
  addRunFlags(command).action(async (dataset: string | undefined, options: RunOptions) => {
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

interface RunOptions {
  input?: string;
  target: string;
  dir: string;
  modelEndpoint?: string;
  emulator?: string;
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
  await using target = await openLocalTarget({
    directory: options.dir,
    clock: systemClock,
    version: VERSION,
    modelEndpoint: options.modelEndpoint,
    emulatorUrl: options.emulator,
  });
  const result = await followRun(input, target, context);
  switch (result.kind) {
    case 'finished': {
      const { summary } = result;
      if (options.json) context.out.write(`${JSON.stringify(summaryJson(summary, options.dir), null, 2)}\n`);
      else await printSummary(result, options.dir, context);
      if (summary.rows.succeeded < summary.rows.total) context.exitStatus = EXIT_INCOMPLETE;
      return;
    }
    case 'failed':
      throw new CliError(result.error, result.message);
    case 'aborted':
      throw new CliError(
        'Aborted',
        `Stopped. Nothing is lost: run the same command again to go on${result.runId ? ` with run ${result.runId}` : ''}.`,
      );
  }
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

/** Runs, with progress on standard error; the first Ctrl-C stops cleanly, the second at once. */
async function followRun(input: unknown, target: LocalTarget, { err }: CliContext): Promise<LocalRunResult> {
  const reporter = createProgressReporter(err);
  const abort = new AbortController();
  const onInterrupt = () => {
    if (abort.signal.aborted) process.exit(EXIT_FAILED);
    err.write('\nStopping; press Ctrl-C again to stop at once. Either way the run can be resumed.\n');
    abort.abort(new Error('Interrupted.'));
  };
  process.on('SIGINT', onInterrupt);
  try {
    return await runLocally(input, {
      target,
      random: Math.random,
      onProgress: reporter.report,
      signal: abort.signal,
    });
  } finally {
    process.off('SIGINT', onInterrupt);
    reporter.stop();
  }
}

async function printSummary(
  { summary }: Extract<LocalRunResult, { kind: 'finished' }>,
  directory: string,
  { out }: CliContext,
): Promise<void> {
  out.write(`${summaryLines(summary, directory).join('\n')}\n`);
  const rows = await Array.fromAsync(readResults(outputPathsOf(summary, directory), { head: SAMPLE_ROWS }));
  out.write(`\n${rowsView(rows, { columns: sampleColumns(rows), width: out.columns })}\n`);
  if (summary.simulated) {
    out.write(
      '\nThe answers are a simulated model’s (simulated model): no model was called and nothing was paid.\n',
    );
  }
  out.write(
    `\nAll rows: quarry results ${summary.run_id}${directory === '.quarry' ? '' : ` --dir ${directory}`}\n`,
  );
}

/** A sample shows the dataset's columns, the answer, and errors only where there are some. */
function sampleColumns(rows: readonly Record<string, unknown>[]): string[] {
  const quiet = ['error_code', 'error_message'];
  const never = ['stop_reason', 'input_tokens', 'output_tokens', 'attempts'];
  return Object.keys(rows[0] ?? {}).filter(
    (column) =>
      !never.includes(column) && (!quiet.includes(column) || rows.some((row) => row[column] !== null)),
  );
}
