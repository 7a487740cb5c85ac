import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { EXIT_INCOMPLETE } from '../cli-error.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { diffView } from '../views/diff-view.ts';

interface DiffCommandOptions extends TargetOptions {
  by?: 'id' | 'content';
  failIf: string[];
  html?: string;
  json?: boolean;
}

/** `quarry diff`: what two runs over the same rows have in common, and what not. */
export function addDiffCommand(program: Command, context: CliContext): void {
  const command = program
    .command('diff')
    .argument(
      '<a>',
      'a run that has ended: its id, or its unique beginning; of one with variants, RUN:VARIANT',
    )
    .argument('<b>', 'the run that is compared with it')
    .description('Compare the answers of two runs over the same rows. Exit status 2 where --fail-if holds.')
    .addOption(
      new Option(
        '--by <key>',
        'what rows are joined by (default: ids where they are the same in both, else content)',
      ).choices(['id', 'content']),
    )
    .option(
      '--fail-if <condition>',
      'end with status 2 where it holds, such as "changed>1%"; may be given again',
      (condition: string, others: string[]) => [...others, condition],
      [],
    )
    .option('--html <file>', 'write a page that shows it, such as diff.html')
    .option('--json', 'print it as JSON');
  addTargetOptions(command).action((a: string, b: string, options: DiffCommandOptions) =>
    printDiff({ a, b }, options, context),
  );
}

async function printDiff(
  names: { a: string; b: string },
  { by, failIf, html, json = false, ...target }: DiffCommandOptions,
  context: CliContext,
): Promise<void> {
  const quarry = quarryOf(target);
  const [a, b] = [await findNamed(names.a, quarry), await findNamed(names.b, quarry)];
  const { diff, conditions, failed, page } = await quarry.diff(a, b, { by, failIf, html });
  context.out.write(
    json
      ? `${JSON.stringify({ page, failed, conditions, diff }, null, 2)}\n`
      : `${diffView(diff, { conditions, page }).join('\n')}\n`,
  );
  if (failed) context.exitStatus = EXIT_INCOMPLETE;
}

/** The run of a name, which may be its beginning, and after a colon one of its variants. */
async function findNamed(name: string, quarry: ReturnType<typeof quarryOf>): Promise<string> {
  const [run = '', ...variant] = name.split(':');
  return [await quarry.find(run), ...variant].join(':');
}
