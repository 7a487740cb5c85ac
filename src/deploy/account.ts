import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateDescribeStackEvents,
  type Stack,
  type StackEvent,
} from '@aws-sdk/client-cloudformation';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { callAws } from '../bedrock/call-aws.ts';
import { DeploymentError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/text/json-value.ts';
import { clientOptionsOf } from '../targets/aws/deployed-target.ts';

/** Where a stack is, or is to be; what is undefined comes from the environment, as with any AWS tool. */
export interface StackAddress {
  stackName: string;
  region: string | undefined;
  profile: string | undefined;
}

/** An account and region, and the stack in it. */
export interface Account extends Disposable {
  account: string;
  region: string;
  cloudFormation: CloudFormationClient;
  /** The stack of a name or an ARN; undefined where there is none. */
  find(stack: string): Promise<Stack | undefined>;
  /** What a stack was deployed as; `{}` where there is none. */
  templateOf(stack: string): Promise<JsonObject>;
  /** A stack's events that are not among these ids, the oldest first; none where they may not be read. Adds theirs to the ids. */
  newEventsOf(stack: string, seen: Set<string>): Promise<StackEvent[]>;
}

/** Names that CloudFormation takes. */
const STACK_NAME = /^[A-Za-z][A-Za-z0-9-]{0,127}$/;
/** What the description of every stack of ours begins with. */
const OUR_DESCRIPTION = 'Quarry: ';

/** Finds out whose account it is, and which region. */
export async function openAccount({ stackName, region, profile }: StackAddress): Promise<Account> {
  if (!STACK_NAME.test(stackName)) {
    throw new DeploymentError(
      `"${stackName}" is no name of a stack: letters, digits and hyphens, a letter first, 128 characters at most.`,
    );
  }
  const options = clientOptionsOf({ region, profile });
  using cleanUp = new DisposableStack();
  const cloudFormation = cleanUp.adopt(new CloudFormationClient(options), (client) => client.destroy());
  const sts = cleanUp.adopt(new STSClient(options), (client) => client.destroy());
  const found = await callAws({ doing: 'find the region', action: 'none' }, () =>
    cloudFormation.config.region(),
  );
  const identity = await callAws(
    { doing: 'find out whose credentials these are', action: 'sts:GetCallerIdentity' },
    () => sts.send(new GetCallerIdentityCommand()),
  );
  const opened = cleanUp.move();
  return {
    account: identity.Account ?? '',
    region: found,
    cloudFormation,
    find: (stack) => findStack(cloudFormation, stack),
    templateOf: (stack) => templateOf(cloudFormation, stack),
    newEventsOf: (stack, seen) => newEventsOf(cloudFormation, { stack, seen }),
    [Symbol.dispose]: () => opened.dispose(),
  };
}

/** Throws DeploymentError where a stack is somebody else's. */
export function requireOurs({ StackName, Description }: Stack): void {
  if (Description?.startsWith(OUR_DESCRIPTION)) return;
  throw new DeploymentError(
    `The stack "${StackName}" is not Quarry's, and is left as it is. Give another name: quarry deploy NAME, quarry destroy NAME.`,
  );
}

async function findStack(client: CloudFormationClient, stack: string): Promise<Stack | undefined> {
  return callAws(
    { doing: `look for the stack "${stack}"`, action: 'cloudformation:DescribeStacks' },
    async () => {
      try {
        const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
        return Stacks?.[0];
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  );
}

async function templateOf(client: CloudFormationClient, stack: string): Promise<JsonObject> {
  const { TemplateBody } = await callAws(
    { doing: `read the template of the stack "${stack}"`, action: 'cloudformation:GetTemplate' },
    () => client.send(new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' })),
  );
  const template: unknown = JSON.parse(TemplateBody || '{}');
  return isJsonObject(template) ? template : {};
}

async function newEventsOf(
  client: CloudFormationClient,
  { stack, seen }: { stack: string; seen: Set<string> },
): Promise<StackEvent[]> {
  const events: StackEvent[] = [];
  try {
    // The newest first: whatever comes after one that is known is known too.
    for await (const { StackEvents = [] } of paginateDescribeStackEvents({ client }, { StackName: stack })) {
      const fresh = StackEvents.filter(({ EventId = '' }) => !seen.has(EventId));
      events.push(...fresh);
      if (fresh.length < StackEvents.length) break;
    }
  } catch {
    // Only what is told of the way there hangs on it.
  }
  for (const { EventId = '' } of events) seen.add(EventId);
  return events.reverse();
}

/** `ValidationError: Stack with id Quarry does not exist`. */
function isMissing(error: unknown): boolean {
  const { name, message } = error as Error;
  return name === 'ValidationError' && /does not exist/.test(message);
}
