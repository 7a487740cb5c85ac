import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { InvalidRunInputError } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';

interface ReportCommandOptions extends TargetOptions {
  open?: boolean;
  output?: string;
  json?: boolean;
}

/** What opens a file with the program that the system has for it. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** `quarry report`: one page of HTML that shows what came of a run. */
export function addReportCommand(program: Command, context: CliContext): void {
  const command = program
    .command('report')
    .argument('[run]', RUN_ARGUMENT)
    .description('Write the report of a finished run: one HTML file that needs no network and no server.')
    .option('--open', 'open it in the browser')
    .option('--output <file>', 'write a copy there, such as report.html')
    .option('--json', 'print what it shows as JSON');
  addTargetOptions(command).action((name: string | undefined, options: ReportCommandOptions) =>
    writeRunReport(name, options, context),
  );
}

async function writeRunReport(
  name: string | undefined,
  { open = false, output, json = false, ...target }: ReportCommandOptions,
  { out, err }: CliContext,
): Promise<void> {
  const quarry = quarryOf(target);
  const runId = await quarry.find(name);
  const { report, page, copy } = await quarry.report(runId, { output });
  const place = copy ?? page;
  out.write(json ? `${JSON.stringify({ page, copy, report }, null, 2)}\n` : `${place}\n`);
  if (!open) return;
  if (place.startsWith('s3://')) {
    throw new InvalidRunInputError(
      `The report is in S3, and a browser opens files: give --output report.html beside --open. It is written: ${place}`,
    );
  }
  await openFile(place).catch((error: Error) => {
    err.write(`No browser could be started (${error.message}). Open ${place} yourself.\n`);
  });
}

function openFile(path: string): Promise<void> {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawn(program, [...args, path], { detached: true, stdio: 'ignore' });
  child.once('error', reject);
  child.once('spawn', () => {
    child.unref();
    resolve();
  });
  return promise;
}
