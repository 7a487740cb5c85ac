import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { InvalidRunInputError } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { count } from '../views/format.ts';
import { pasteable } from '../views/pasteable.ts';
import { rowsView } from '../views/rows-view.ts';

/** Rows that a table shows unless --head says otherwise. */
const DEFAULT_TABLE_ROWS = 10;

interface ResultsOptions extends TargetOptions {
  head?: number;
  /** @default 'table' */
  format?: 'table' | 'jsonl' | 'csv' | 'parquet';
  failed?: boolean;
  output?: string;
  download?: string;
}

/** `quarry results`: the rows of a run that has ended, with their answers. */
export function addResultsCommand(program: Command, context: CliContext): void {
  const command = program
    .command('results')
    .argument('[run]', RUN_ARGUMENT)
    .description('Print the rows of a finished run with their answers.')
    .option('--head <n>', `first n rows; a table has ${DEFAULT_TABLE_ROWS} unless you say more`, toCount)
    .addOption(
      new Option(
        '--format <format>',
        'how rows are printed (default: table), or what the one file of --output is (default: as its name ends)',
      ).choices(['table', 'jsonl', 'csv', 'parquet']),
    )
    .option('--failed', 'only rows without an answer')
    .option(
      '--output <path>',
      'put the rows there and print none: one file that ends in .parquet, .csv or .jsonl, or a folder of all result files',
    )
    .option('--download <directory>', 'put all result files (Parquet) and the summary into this folder');
  addTargetOptions(command).action((name: string | undefined, options: ResultsOptions) =>
    printResults(name, options, context),
  );
}

async function printResults(
  name: string | undefined,
  options: ResultsOptions,
  { out }: CliContext,
): Promise<void> {
  refuseUnused(options);
  const quarry = quarryOf(options);
  const runId = await quarry.find(name);
  if ((await quarry.summary(runId)) === undefined) {
    throw new InvalidRunInputError(
      `Run "${runId}" has not ended yet. See: ${pasteable(`status ${runId}`, options.dir)}`,
    );
  }
  const { head, format = 'table', failed: failedOnly } = options;
  const output = options.output ?? options.download;
  if (output !== undefined) {
    const paths = await quarry.download(runId, output, {
      head,
      failedOnly,
      format: format === 'table' ? undefined : format,
    });
    out.write(
      isOneFile(output, paths)
        ? `${output} has the rows.\n`
        : `${count(paths.length, 'Parquet file')} in ${output}\n`,
    );
    return;
  }
  if (format === 'parquet') {
    throw new InvalidRunInputError(
      'Parquet is no text to print: give --output FILE beside --format parquet.',
    );
  }
  if (format === 'table') {
    const rows = await Array.fromAsync(
      quarry.results(runId, { head: head ?? DEFAULT_TABLE_ROWS, failedOnly }),
    );
    out.write(rows.length === 0 ? 'No rows.\n' : `${rowsView(rows, { width: out.columns })}\n`);
    return;
  }
  for await (const line of quarry.lines(runId, { format, head, failedOnly })) await write(out, line);
}

function isOneFile(output: string, [path, ...others]: readonly string[]): boolean {
  return others.length === 0 && path === resolve(output);
}

/** Combinations of options of which one would be passed over. */
function refuseUnused({ output, download, format, failed, head }: ResultsOptions): void {
  const rows = [
    ...(failed ? ['--failed'] : []),
    ...(head === undefined ? [] : ['--head']),
    ...(format === undefined ? [] : ['--format']),
  ];
  if (output !== undefined && download !== undefined) {
    throw new InvalidRunInputError(
      '--output and --download both say where the results go. Give one of them.',
    );
  }
  if (download !== undefined && rows.length > 0) {
    throw new InvalidRunInputError(
      `--download takes all result files as they are, and ${rows.join(', ')} would be passed over. For some of the rows: --output failed.csv, .jsonl or .parquet.`,
    );
  }
  if (output !== undefined && format === 'table') {
    throw new InvalidRunInputError(
      'A table is for the terminal; with --output the format is csv, jsonl or parquet, or what the name ends in.',
    );
  }
}

/** Writes, and waits where the reader is slower than we are. */
async function write(out: NodeJS.WriteStream, text: string): Promise<void> {
  if (!out.write(text)) await new Promise<void>((resolve) => out.once('drain', resolve));
}

function toCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1.');
  return value;
}
