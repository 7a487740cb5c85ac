import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { planDestruction } from '../../deploy/destroy-stack.ts';
import { DEFAULT_STACK_NAME, findConfig } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError } from '../cli-error.ts';
import { requireYes } from '../options/ask.ts';
import { destructionView } from '../views/deployment-view.ts';
import { untilStopped } from './deploy-command.ts';

interface DestroyOptions {
  yes?: boolean;
  force?: boolean;
  region?: string;
  profile?: string;
  json?: boolean;
}

/** `quarry destroy`: the stack out of the account; its results stay. */
export function addDestroyCommand(program: Command, context: CliContext): void {
  program
    .command('destroy')
    .argument('[stack]', `name of the stack; default: ${DEFAULT_STACK_NAME}`)
    .description('Delete the stack from your account, after asking. The bucket with your results stays.')
    .option('--yes', 'delete it without asking')
    .option('--force', 'delete it even while runs are at work; their jobs go on, and are paid for')
    .option('--region <region>', 'AWS region; default: AWS_REGION, or the profile’s')
    .option('--profile <name>', 'profile of the AWS configuration; default: AWS_PROFILE')
    .option('--json', 'print what was deleted, and what stays, as JSON')
    .action((stack: string | undefined, options: DestroyOptions) => destroy(stack, options, context));
}

async function destroy(
  name: string | undefined,
  options: DestroyOptions,
  context: CliContext,
): Promise<void> {
  const defaults = (await findConfig(process.cwd()))?.defaults;
  const address = {
    stackName: name ?? defaults?.stack ?? DEFAULT_STACK_NAME,
    region: options.region ?? defaults?.region,
    profile: options.profile ?? defaults?.profile,
  };
  await using destruction = await planDestruction(address, systemClock);
  const { plan } = destruction;
  context.err.write(destructionView(plan));
  if (plan.running.length > 0 && !options.force) {
    throw new CliError(
      'RunsAtWork',
      'Nothing was deleted: runs are at work. Cancel each first (quarry cancel RUN --target aws), or give --force.',
      { status: 'refused' },
    );
  }
  await requireYes({ question: 'Delete it?', yes: options.yes }, context);
  await untilStopped(context, (signal) =>
    destruction.destroy({ signal, onProgress: (text) => context.err.write(text) }),
  );
  context.out.write(
    options.json
      ? `${JSON.stringify({ ...plan, status: 'deleted' }, null, 2)}\n`
      : `The stack "${plan.stack}" is deleted. ${plan.kept}\n`,
  );
}
