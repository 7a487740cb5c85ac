import {
  type CloudFormationClient,
  DescribeStacksCommand,
  type DescribeStacksOutput,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { GetCallerIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { callAws } from '../../bedrock/call-aws.ts';
import { DeploymentError } from '../../core/errors.ts';

/** Name of the stack unless another one was deployed. */
export const DEFAULT_STACK_NAME = 'Quarry';

/** The deployed workflow, as its stack tells of it. */
export interface Deployment {
  stackName: string;
  region: string;
  account: string;
  bucket: string;
  stateMachineArn: string;
  stateMachineName: string;
  serviceRoleArn: string;
  quarryVersion: string;
  /** What it was deployed with; absent where it does not say so. */
  limits: DeploymentLimits;
  /** What is not as it should be, although the stack is there. */
  problems: DeploymentProblem[];
}

/** How much at once, and how large. */
export type DeploymentLimits = Partial<Record<(typeof LIMIT_OUTPUTS)[number], number>>;

const LIMIT_OUTPUTS = [
  'maxConcurrentJobs',
  'prepareConcurrency',
  'minRecordsPerJob',
  'maxRecordsPerJob',
] as const;

/** Something about a stack that its user should know. */
export interface DeploymentProblem {
  /** What it is, and what to do. */
  message: string;
  /** True where no run may be started until it is mended. Runs that are there can be looked at all the same. */
  blocksStart: boolean;
}

/** What finding a stack takes. */
export interface DeploymentSearch {
  stackName: string;
  /** Quarry's own version. */
  version: string;
  region: string;
  cloudFormation: CloudFormationClient;
  sts: STSClient;
}

/** Finds the stack and what it has put out; DeploymentError where there is nothing to work with. */
export async function findDeployment(search: DeploymentSearch): Promise<Deployment> {
  const { stackName, cloudFormation, region, version } = search;
  const stack = await callAws(
    { doing: `look for the stack "${stackName}"`, action: 'cloudformation:DescribeStacks' },
    async () => {
      try {
        const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackName }));
        return Stacks?.[0];
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  );
  if (stack === undefined) throw new DeploymentError(await missingMessage(search));
  refuseUnusable(stack, stackName);
  const outputs = outputsOf(stack);
  const missing = ['bucketName', 'stateMachineArn', 'stepFunctionName', 'serviceRoleArn'].filter(
    (name) => !outputs.has(name),
  );
  if (missing.length > 0) {
    throw new DeploymentError(
      `The stack "${stackName}" has no output ${missing.join(', ')}: it is not Quarry's, or it is of an older version. Deploy Quarry's (npm run cdk deploy), or name another stack with --stack.`,
    );
  }
  const output = (name: string) => outputs.get(name) ?? '';
  return {
    stackName,
    region,
    account: stack.StackId?.split(':')[4] ?? '',
    bucket: output('bucketName'),
    stateMachineArn: output('stateMachineArn'),
    stateMachineName: output('stepFunctionName'),
    serviceRoleArn: output('serviceRoleArn'),
    quarryVersion: output('quarryVersion') || 'unknown',
    limits: Object.fromEntries(
      LIMIT_OUTPUTS.flatMap((name) => (outputs.has(name) ? [[name, Number(output(name))]] : [])),
    ),
    problems: [
      ...stateProblems(stack.StackStatus ?? '', stackName),
      ...versionProblems(output('quarryVersion') || 'unknown', { own: version, stackName }),
    ],
  };
}

/** Throws DeploymentError where no run may be started on this deployment. */
export function requireReady({ problems }: Deployment): void {
  const blocking = problems.filter(({ blocksStart }) => blocksStart);
  if (blocking.length > 0) throw new DeploymentError(blocking.map(({ message }) => message).join(' '));
}

/** `ValidationError: Stack with id Quarry does not exist`. */
function isMissing(error: unknown): boolean {
  const { name, message } = error as Error;
  return name === 'ValidationError' && /does not exist/.test(message);
}

function outputsOf({ Outputs = [] }: Stack): Map<string, string> {
  return new Map(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));
}

async function missingMessage(search: DeploymentSearch): Promise<string> {
  const { stackName, region } = search;
  const [account, alike] = await Promise.all([accountOf(search), stacksAlike(search)]);
  const place = account === undefined ? region : `${region} of account ${account}`;
  const others =
    alike.length === 0
      ? ''
      : ` There ${alike.length === 1 ? 'is' : 'are'} ${alike.map((name) => `"${name}"`).join(', ')}, which ${alike.length === 1 ? 'looks' : 'look'} like Quarry's: give the name with --stack.`;
  return `There is no stack "${stackName}" in ${place}.${others} To deploy it: npm run cdk deploy. Where it is in another region or account, set AWS_REGION or AWS_PROFILE.`;
}

/** The caller's account, where it can be known. */
async function accountOf({ sts }: DeploymentSearch): Promise<string | undefined> {
  const identity = await sts.send(new GetCallerIdentityCommand()).catch(() => undefined);
  return identity?.Account;
}

/** Names of the stacks that put out what Quarry's does; none where they may not be listed. */
async function stacksAlike({ cloudFormation }: DeploymentSearch): Promise<string[]> {
  const names: string[] = [];
  try {
    let NextToken: string | undefined;
    do {
      const page: DescribeStacksOutput = await cloudFormation.send(new DescribeStacksCommand({ NextToken }));
      for (const stack of page.Stacks ?? []) {
        const outputs = outputsOf(stack);
        if (outputs.has('stateMachineArn') && outputs.has('quarryVersion')) names.push(stack.StackName ?? '');
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
  } catch {
    // Only a hint hangs on it.
  }
  return names;
}

/** States in which a stack has nothing that a run could use, each with what to do. */
const UNUSABLE: readonly [RegExp, string][] = [
  [/^(CREATE|IMPORT)_IN_PROGRESS$/, 'is being created: wait until it is, and try again'],
  [/^REVIEW_IN_PROGRESS$/, 'was never deployed, only prepared. Deploy it: npm run cdk deploy'],
  [
    /^DELETE_IN_PROGRESS$/,
    'is being deleted. Its bucket is kept; deploy again once it is gone: npm run cdk deploy',
  ],
  [
    /^(CREATE_FAILED|ROLLBACK_.*|DELETE_FAILED|IMPORT_ROLLBACK_FAILED)$/,
    'could not be created or deleted. See its events in the CloudFormation console, delete it (npm run cdk destroy) and deploy again: npm run cdk deploy',
  ],
];

function refuseUnusable(stack: Stack, stackName: string): void {
  const { StackStatus, StackStatusReason } = stack;
  const advice = UNUSABLE.find(([pattern]) => pattern.test(StackStatus ?? ''))?.[1];
  if (advice === undefined) return;
  const reason = StackStatusReason === undefined ? '' : ` (${StackStatusReason})`;
  throw new DeploymentError(`The stack "${stackName}" ${advice}. It is in state ${StackStatus}${reason}.`);
}

function stateProblems(status: string, stackName: string): DeploymentProblem[] {
  if (/^UPDATE_(ROLLBACK_)?IN_PROGRESS$/.test(status)) {
    return [
      {
        message: `The stack "${stackName}" is being updated (${status}): wait until it is, and start the run then.`,
        blocksStart: true,
      },
    ];
  }
  if (/^UPDATE_(ROLLBACK_)?FAILED$/.test(status)) {
    return [
      {
        message: `The last update of the stack "${stackName}" failed (${status}): see its events in the CloudFormation console, and deploy again: npm run cdk deploy.`,
        blocksStart: true,
      },
    ];
  }
  if (status.startsWith('UPDATE_ROLLBACK_')) {
    return [
      {
        message: `The last update of the stack "${stackName}" was rolled back (${status}): it is as it was before.`,
        blocksStart: false,
      },
    ];
  }
  return [];
}

/** Versions that differ where semantic versioning allows a break do not go together; others do. */
function versionProblems(
  deployed: string,
  { own, stackName }: { own: string; stackName: string },
): DeploymentProblem[] {
  if (deployed === own) return [];
  const breaks = compatibilityOf(deployed) !== compatibilityOf(own);
  const message = `The stack "${stackName}" is Quarry ${deployed}, this is ${own}.`;
  return [
    breaks
      ? {
          message: `${message} These versions do not work together. Update the stack from this version's folder (npm run cdk deploy) or use Quarry ${deployed}.`,
          blocksStart: true,
        }
      : {
          message: `${message} They work together; to use the same version, update the stack: npm run cdk deploy.`,
          blocksStart: false,
        },
  ];
}

/** `1` of 1.4.2, `0.4` of 0.4.2: what has to be the same. https://semver.org/#spec-item-4 */
function compatibilityOf(version: string): string {
  const [major, minor] = version.split('.');
  return major === '0' ? `0.${minor}` : String(major);
}
