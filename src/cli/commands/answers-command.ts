import type { Command } from 'commander';
import type { KeptAnswers } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { addTargetOptions, quarryOf, type TargetOptions } from '../options/target-options.ts';
import { count, printable } from '../views/format.ts';
import { rowsView } from '../views/rows-view.ts';

interface AnswersCommandOptions extends TargetOptions {
  rebuild?: boolean;
  compact?: boolean;
  pruneRun?: string;
  pruneBefore?: string;
  json?: boolean;
}

/** `quarry answers`: the answers that runs with `reuse` have kept for later ones. */
export function addAnswersCommand(program: Command, { out }: CliContext): void {
  const command = program
    .command('answers')
    .description('Show the answers that are kept for runs with --reuse, and take in, delete or compact them.')
    .option('--rebuild', 'take in the answers of every ended run, and delete files that cannot be read')
    .option('--prune-run <run>', 'delete the answers of this run')
    .option('--prune-before <date>', 'delete the answers of runs that were planned before this date')
    .option('--compact', 'put small files together')
    .option('--json', 'print as JSON');
  addTargetOptions(command).action(async (options: AnswersCommandOptions) => {
    const { rebuild, compact, pruneRun, pruneBefore } = options;
    const kept = await quarryOf(options).answers({ rebuild, compact, pruneRun, pruneBefore });
    out.write(options.json ? `${JSON.stringify(kept, null, 2)}\n` : `${answersText(kept, out.columns)}\n`);
  });
}

/** What was done, a table of what is kept, and what is wrong with it. */
function answersText(
  { models, hits, unreadable, rebuilt, pruned, compacted }: KeptAnswers,
  width: number | undefined,
): string {
  const rows = models.map(({ bytes, oldest, newest, ...model }) => ({
    ...model,
    megabytes: (bytes / 1e6).toFixed(1),
    oldest: oldest?.slice(0, 10) ?? null,
    newest: newest?.slice(0, 10) ?? null,
  }));
  return [
    ...(rebuilt === null
      ? []
      : [
          `Taken in: ${count(rebuilt.answers, 'answer')} of ${count(rebuilt.runs, 'ended run')}; ${count(rebuilt.deleted, 'file')} that could not be read deleted.`,
        ]),
    ...(pruned === null ? [] : [`Deleted: ${count(pruned, 'answer')}.`]),
    ...(compacted === null ? [] : [`Compacted: ${count(compacted, 'file')} fewer.`]),
    rows.length === 0
      ? 'No answers are kept yet: runs with --reuse keep theirs, and --rebuild takes in those of other runs.'
      : rowsView(rows, { width }),
    `${count(hits, 'row')} of the runs here got an answer of a former run.`,
    ...unreadable.map(({ file, why }) => printable(`${file} cannot be read: ${why}`)),
  ].join('\n');
}
