import { Command, CommanderError } from 'commander';
import { VERSION } from '../core/version.ts';
import type { CliContext } from './cli-context.ts';
import { CliError, EXIT_FAILED } from './cli-error.ts';
import { addAdoptCommand } from './commands/adopt-command.ts';
import { addAnswersCommand } from './commands/answers-command.ts';
import { addCancelCommand } from './commands/cancel-command.ts';
import { addCompletionCommand } from './commands/completion-command.ts';
import { addConfigCommand } from './commands/config-command.ts';
import { addDeployCommand } from './commands/deploy-command.ts';
import { addDestroyCommand } from './commands/destroy-command.ts';
import { addDiffCommand } from './commands/diff-command.ts';
import { addDoctorCommand } from './commands/doctor-command.ts';
import { addEmulateCommand } from './commands/emulate-command.ts';
import { addInitCommand } from './commands/init-command.ts';
import { addJobsCommand } from './commands/jobs-command.ts';
import { addModelsCommand } from './commands/models-command.ts';
import { addPlanCommand } from './commands/plan-command.ts';
import { addReportCommand } from './commands/report-command.ts';
import { addRerunCommand } from './commands/rerun-command.ts';
import { addResultsCommand } from './commands/results-command.ts';
import { addResumeCommand } from './commands/resume-command.ts';
import { addRunCommand } from './commands/run-command.ts';
import { addRunsCommand } from './commands/runs-command.ts';
import { addStatusCommand } from './commands/status-command.ts';
import { addVerifyCommand } from './commands/verify-command.ts';
import { addWatchCommand } from './commands/watch-command.ts';
import { holdConfig } from './options/target-options.ts';
import { failureJson, failureText } from './views/failure-view.ts';

/** The command line; returns the exit status. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const program = new Command('quarry')
    .description(
      'Run a prompt or an embedding model over every row of a dataset with Amazon Bedrock batch inference.',
    )
    .version(VERSION)
    .configureOutput({
      writeOut: (text) => context.out.write(text),
      writeErr: (text) => context.err.write(text),
    })
    .showSuggestionAfterError()
    .exitOverride()
    .hook('preAction', (_, command) => holdConfig(command));
  addPlanCommand(program, context);
  addRunCommand(program, context);
  addResultsCommand(program, context);
  addReportCommand(program, context);
  addDiffCommand(program, context);
  addStatusCommand(program, context);
  addWatchCommand(program, context);
  addVerifyCommand(program, context);
  addRunsCommand(program, context);
  addCancelCommand(program, context);
  addResumeCommand(program, context);
  addAnswersCommand(program, context);
  addRerunCommand(program, context);
  addJobsCommand(program, context);
  addAdoptCommand(program, context);
  addModelsCommand(program, context);
  addEmulateCommand(program, context);
  addDoctorCommand(program, context);
  addDeployCommand(program, context);
  addDestroyCommand(program, context);
  addInitCommand(program, context);
  addConfigCommand(program, context);
  addCompletionCommand(program, context);
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return context.exitStatus;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const failure = error instanceof CommanderError ? usageError(error) : (error as Error);
    if (args.includes('--json')) {
      context.out.write(`${JSON.stringify(failureJson(failure, args[0]), null, 2)}\n`);
    }
    // Commander has told its own already.
    if (!(error instanceof CommanderError)) context.err.write(`${failureText(failure)}\n`);
    if (process.env.QUARRY_DEBUG) context.err.write(`${failure.stack}\n`);
    return error instanceof CliError ? error.exitStatus : EXIT_FAILED;
  }
}

/** What is wrong with the words of a command. */
function usageError({ message }: CommanderError): CliError {
  return new CliError('UsageError', message.replace(/^error: /, ''), { status: 'refused' });
}
