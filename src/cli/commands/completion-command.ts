import { Argument, type Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { type CompletedCommand, completionScript, SHELLS, type Shell } from '../views/completion-script.ts';

/** `quarry completion`: a script that lets a shell complete commands and flags. */
export function addCompletionCommand(program: Command, { out }: CliContext): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .description('Print a script that completes commands and flags: source <(quarry completion bash)')
    .action((shell: Shell) => {
      out.write(completionScript(shell, program.commands.map(describe)));
    });
}

function describe(command: Command): CompletedCommand {
  return {
    name: command.name(),
    description: command.description(),
    flags: command.options
      .filter(({ hidden, long }) => !hidden && long)
      .map(({ long, description }) => ({ flag: String(long), description })),
  };
}
