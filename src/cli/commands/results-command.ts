import { type Command, InvalidArgumentError, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { InvalidRunInputError } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { count, dirFlag } from '../views/format.ts';
import { rowsView } from '../views/rows-view.ts';

/** Rows that a table shows unless --head says otherwise. */
const DEFAULT_TABLE_ROWS = 10;

interface ResultsOptions extends TargetOptions {
  head?: number;
  format: 'table' | 'jsonl' | 'csv';
  failed?: boolean;
  download?: string;
}

/** `quarry results`: the rows of a run that has ended, with their answers. */
export function addResultsCommand(program: Command, context: CliContext): void {
  const command = program
    .command('results')
    .argument('[run]', RUN_ARGUMENT)
    .description('Print the rows of a finished run with their answers.')
    .option('--head <n>', `first n rows; a table has ${DEFAULT_TABLE_ROWS} unless you say more`, toCount)
    .addOption(new Option('--format <format>', 'how').choices(['table', 'jsonl', 'csv']).default('table'))
    .option('--failed', 'only rows without an answer')
    .option(
      '--download <directory>',
      'put the result files (Parquet) and the summary there, and print no rows',
    );
  addTargetOptions(command).action((name: string | undefined, options: ResultsOptions) =>
    printResults(name, options, context),
  );
}

async function printResults(
  name: string | undefined,
  options: ResultsOptions,
  { out }: CliContext,
): Promise<void> {
  const quarry = quarryOf(options);
  const runId = await quarry.find(name);
  if ((await quarry.summary(runId)) === undefined) {
    throw new InvalidRunInputError(
      `Run "${runId}" has not ended yet. See: quarry status ${runId}${dirFlag(options.dir)}`,
    );
  }
  if (options.download !== undefined) {
    const paths = await quarry.download(runId, options.download);
    out.write(`${count(paths.length, 'Parquet file')} in ${options.download}\n`);
    return;
  }
  const head = options.head ?? (options.format === 'table' ? DEFAULT_TABLE_ROWS : undefined);
  const rows = quarry.results(runId, { head, failedOnly: options.failed });
  switch (options.format) {
    case 'table': {
      const shown = await Array.fromAsync(rows);
      out.write(shown.length === 0 ? 'No rows.\n' : `${rowsView(shown, { width: out.columns })}\n`);
      return;
    }
    case 'jsonl':
      for await (const row of rows) await write(out, `${JSON.stringify(row)}\n`);
      return;
    case 'csv': {
      let header = true;
      for await (const row of rows) {
        await write(out, stringify([row], { header, cast: { object: (value) => JSON.stringify(value) } }));
        header = false;
      }
    }
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
