import { DeleteStackCommand, type Stack, type StackEvent } from '@aws-sdk/client-cloudformation';
import { ListExecutionsCommand, type ListExecutionsCommandOutput, SFNClient } from '@aws-sdk/client-sfn';
import { callAws } from '../bedrock/call-aws.ts';
import type { Clock } from '../core/clock.ts';
import { DeploymentError } from '../core/errors.ts';
import { clientOptionsOf } from '../targets/aws/deployed-target.ts';
import { type Account, openAccount, requireOurs, type StackAddress } from './account.ts';
import { reasonsOf } from './deploy-stack.ts';

/** What would be deleted, and what would stay. */
export interface DestructionPlan {
  stack: string;
  account: string;
  region: string;
  /** The stack's own words on what stays, and how to remove it. */
  kept: string;
  /** Executions that are at work, by name: at most the hundred newest. Their jobs go on without the stack, and are paid for. */
  running: string[];
}

/** A stack that may be destroyed. */
export interface Destruction extends AsyncDisposable {
  plan: DestructionPlan;
  /** Deletes the stack and waits until it is gone. Throws DeploymentError with the reasons of the resources that stayed. */
  destroy(options: { onProgress(text: string): void; signal: AbortSignal }): Promise<void>;
}

/** Milliseconds between two looks at a stack that is being deleted. */
const POLL_MS = 2_000;

/** Finds the stack and what is at work in it. Changes nothing. Throws DeploymentError where it is not there, or not Quarry's. */
export async function planDestruction(address: StackAddress, clock: Clock): Promise<Destruction> {
  await using cleanUp = new AsyncDisposableStack();
  const account = cleanUp.use(await openAccount(address));
  const { stackName } = address;
  const stack = await account.find(stackName);
  if (stack === undefined) {
    throw new DeploymentError(
      `There is no stack "${stackName}" in ${account.region} of account ${account.account}: there is nothing to destroy.`,
    );
  }
  requireOurs(stack);
  const output = (name: string) => stack.Outputs?.find(({ OutputKey }) => OutputKey === name)?.OutputValue;
  const plan: DestructionPlan = {
    stack: stackName,
    account: account.account,
    region: account.region,
    kept:
      output('afterDestroy') ??
      'A bucket that it had created may be kept: see its resources in the CloudFormation console.',
    running: await executionsAtWork(output('stateMachineArn'), address),
  };
  const opened = cleanUp.move();
  return {
    plan,
    destroy: (options) => destroy(account, { stack, clock, ...options }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface Deleting {
  stack: Stack;
  clock: Clock;
  onProgress(text: string): void;
  signal: AbortSignal;
}

async function destroy(account: Account, { stack, clock, onProgress, signal }: Deleting): Promise<void> {
  const { StackId = '', StackName = '' } = stack;
  const seen = new Set<string>();
  await account.newEventsOf(StackId, seen);
  const events: StackEvent[] = [];
  await callAws({ doing: `delete the stack "${StackName}"`, action: 'cloudformation:DeleteStack' }, () =>
    account.cloudFormation.send(new DeleteStackCommand({ StackName: StackId || StackName })),
  );
  for (;;) {
    for (const event of await account.newEventsOf(StackId, seen)) {
      const { ResourceStatus, ResourceType, LogicalResourceId } = event;
      events.push(event);
      onProgress(`${ResourceStatus}  ${ResourceType}  ${LogicalResourceId}\n`);
    }
    const now = await account.find(StackId);
    if (now === undefined || now.StackStatus === 'DELETE_COMPLETE') return;
    if (now.StackStatus === 'DELETE_FAILED') {
      throw new DeploymentError(
        `The stack "${StackName}" could not be deleted whole:\n${reasonsOf(events).join('\n')}\nTo try again: quarry destroy ${StackName}`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}

async function executionsAtWork(
  stateMachineArn: string | undefined,
  { region, profile }: StackAddress,
): Promise<string[]> {
  if (stateMachineArn === undefined) return [];
  const client = new SFNClient(clientOptionsOf({ region, profile }));
  try {
    const { executions = [] } = await callAws(
      { doing: 'list the executions that are at work', action: 'states:ListExecutions' },
      () => runningOf(client, stateMachineArn),
    );
    return executions.map(({ name = '' }) => name);
  } finally {
    client.destroy();
  }
}

async function runningOf(
  client: SFNClient,
  stateMachineArn: string,
): Promise<Pick<ListExecutionsCommandOutput, 'executions'>> {
  try {
    return await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING', maxResults: 100 }),
    );
  } catch (error) {
    // A stack whose deletion failed half-way still names it.
    if ((error as Error).name === 'StateMachineDoesNotExist') return { executions: [] };
    throw error;
  }
}
