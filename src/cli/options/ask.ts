import { createInterface } from 'node:readline/promises';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';

/** What is asked, and what has been answered already. */
export interface Question {
  question: string;
  /** `--yes` */
  yes: boolean | undefined;
}

/** Ends the command, with nothing changed, unless somebody says yes: by `--yes`, or on the terminal. */
export async function requireYes({ question, yes }: Question, context: CliContext): Promise<void> {
  if (yes) return;
  if (!context.in.isTTY) {
    throw new CliError(
      'NotConfirmed',
      'Nothing was changed: this asks before it changes anything, and there is no terminal to ask on. Give --yes where it is to be done all the same.',
      { status: 'refused' },
    );
  }
  const terminal = createInterface({ input: context.in, output: context.err });
  try {
    const answer = await terminal.question(`${question} (y/N) `);
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new CliError('NotConfirmed', 'Nothing was changed.', { status: 'stopped' });
}
