import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';

// The CDK's own command line; after `destroy` it also says what was kept.
const [command = '', ...rest] = process.argv.slice(2);
const stackName = stackNameOf(rest);
const kept = command === 'destroy' ? await afterDestroy(stackName) : undefined;

const cdk = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');
const { status } = spawnSync(process.execPath, [cdk, command, ...rest].filter(Boolean), {
  stdio: 'inherit',
  // Nothing is asked of the network that the command does not need.
  env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
});
if (status === 0 && kept !== undefined) console.log(kept);
process.exitCode = status ?? 1;

function stackNameOf(args: readonly string[]): string {
  return args.find((arg) => arg.startsWith('stackName='))?.slice('stackName='.length) ?? 'Quarry';
}

/** What the stack itself says of what it leaves behind. */
async function afterDestroy(name: string): Promise<string | undefined> {
  try {
    const { Stacks = [] } = await new CloudFormationClient().send(
      new DescribeStacksCommand({ StackName: name }),
    );
    return Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'afterDestroy')?.OutputValue;
  } catch {
    return undefined;
  }
}
