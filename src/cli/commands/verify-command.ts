import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { EXIT_FAILED } from '../cli-error.ts';
import { addTargetOptions, quarryOf, RUN_ARGUMENT, type TargetOptions } from '../options/target-options.ts';
import { count } from '../views/format.ts';

/** `quarry verify`: reads every file of a run, and says which are not as they were written. */
export function addVerifyCommand(program: Command, context: CliContext): void {
  const command = program
    .command('verify')
    .argument('[run]', RUN_ARGUMENT)
    .description('Read every file of a run, and say which are not as they were written. Nothing is changed.')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action((name: string | undefined, options: TargetOptions & { json?: boolean }) =>
    verify(name, options, context),
  );
}

async function verify(
  name: string | undefined,
  options: TargetOptions & { json?: boolean },
  context: CliContext,
): Promise<void> {
  const quarry = quarryOf(options);
  const runId = await quarry.find(name);
  const { outputFiles, rows, broken } = await quarry.verify(runId);
  if (broken.length > 0) context.exitStatus = EXIT_FAILED;
  if (options.json) {
    const report = { run_id: runId, output_files: outputFiles, rows, broken };
    context.out.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  if (broken.length === 0) {
    context.out.write(
      `Every file of run ${runId} is intact: ${count(outputFiles, 'output file')}, ${count(rows, 'row')}.\n`,
    );
    return;
  }
  context.out.write(`${count(broken.length, 'file')} of run ${runId} cannot be relied on:\n`);
  for (const { file, fault, advice } of broken) context.out.write(`\n${file}\n  ${fault}\n  ${advice}\n`);
}
