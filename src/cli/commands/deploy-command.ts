import { type Command, InvalidArgumentError } from 'commander';
import { planDeployment } from '../../deploy/deploy-stack.ts';
import { DEFAULT_STACK_NAME, DeploymentError, findConfig } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { CliError, EXIT_INTERRUPTED } from '../cli-error.ts';
import { requireYes } from '../options/ask.ts';
import { withStopSignals } from '../stop-signals.ts';
import { deploymentView } from '../views/deployment-view.ts';
import { pasteable } from '../views/pasteable.ts';

interface DeployOptions {
  context: Record<string, string>;
  plan?: boolean;
  yes?: boolean;
  region?: string;
  profile?: string;
  json?: boolean;
}

/** `quarry deploy`: the stack, out of the package, into the account. */
export function addDeployCommand(program: Command, context: CliContext): void {
  program
    .command('deploy')
    .argument('[stack]', `name of the stack; default: ${DEFAULT_STACK_NAME}`)
    .description('Create or update the stack in your account, after showing what changes and asking.')
    .option(
      '-c, --context <key=value>',
      'a setting of the stack, as in docs/aws.md; repeatable',
      addContext,
      {},
    )
    .option('--plan', 'show what would change, and end')
    .option('--yes', 'change it without asking')
    .option('--region <region>', 'AWS region; default: AWS_REGION, or the profile’s')
    .option('--profile <name>', 'profile of the AWS configuration; default: AWS_PROFILE')
    .option('--json', 'print what was deployed as JSON; with --plan, what would change')
    .action((stack: string | undefined, options: DeployOptions) => deploy(stack, options, context));
}

async function deploy(name: string | undefined, options: DeployOptions, context: CliContext): Promise<void> {
  const config = await findConfig(process.cwd());
  const { stackName: named, ...settings } = { ...config?.context, ...options.context };
  const stackName = name ?? toName(named) ?? config?.defaults.stack ?? DEFAULT_STACK_NAME;
  await using deployment = await planDeployment({
    stackName,
    context: settings,
    region: options.region ?? config?.defaults.region,
    profile: options.profile ?? config?.defaults.profile,
  });
  const { plan } = deployment;
  if (options.plan) {
    context.out.write(options.json ? `${JSON.stringify(plan, null, 2)}\n` : deploymentView(plan));
    return;
  }
  context.err.write(deploymentView(plan));
  await requireYes({ question: 'Deploy it?', yes: options.yes }, context);
  const { status, outputs } = await untilStopped(context, (signal) =>
    deployment.deploy({ signal, onProgress: (text) => context.err.write(text) }),
  );
  context.out.write(
    options.json
      ? `${JSON.stringify({ ...plan, status, outputs }, null, 2)}\n`
      : `The stack "${stackName}" is deployed (${status}). Its bucket is ${outputs.bucketName}.\nTo check what runs need: ${pasteable('doctor --target aws')}\n`,
  );
}

/** Work at CloudFormation, which goes on there when it is no longer waited for. */
export async function untilStopped<T>(
  { err }: CliContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let isStopped = false;
  try {
    return await withStopSignals(work, () => {
      isStopped = true;
      err.write('Stopping…\n');
    });
  } catch (error) {
    throw isStopped ? detached() : error;
  }
}

function detached(): CliError {
  return new CliError(
    'Detached',
    'CloudFormation goes on with what it has begun. The same command goes on from there, once it is done.',
    { exitStatus: EXIT_INTERRUPTED, status: 'detached' },
  );
}

function addContext(text: string, others: Record<string, string>): Record<string, string> {
  const [, key, value] = /^([^=\s]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('Give key=value, such as pollSeconds=60.');
  }
  return { ...others, [key]: value };
}

function toName(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new DeploymentError(`The context key stackName = ${JSON.stringify(value)} must be text.`);
}
