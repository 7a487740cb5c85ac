import { S3Client } from '@aws-sdk/client-s3';
import { InvalidRunInputError } from '../core/errors.ts';
import { BUCKET_PATTERN } from '../core/s3-uri.ts';
import { recallRun } from '../runs/known-runs.ts';
import type { AwsRunTarget, BedrockRunTarget, RunTarget } from '../runs/run-target.ts';
import { DEFAULT_STACK_NAME, requireReady } from '../targets/aws/deployment.ts';
import { accountOf } from '../targets/bedrock/bedrock-target.ts';
import { endpointSettings } from './endpoint-settings.ts';
import { openStack } from './open-stack.ts';
import { directoryOf, type QuarryOptions, spellingOf } from './quarry-options.ts';

/** Which run it is about, and what is done to it. */
export interface TargetPurpose {
  runId?: string | undefined;
  /** True where jobs may be created. */
  sendsJobs?: boolean;
  /** True where files are made in the folder, be it scratch files. */
  makesFiles?: boolean;
}

/** Seconds between two looks at a job: the shortest ones take minutes. */
export const DEFAULT_POLL_SECONDS = 60;

/** `arn:aws:iam::123456789012:role/path/name`. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
const ROLE_ARN_PATTERN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const REGION_PATTERN = /^[a-z]{2}(?:-[a-z]+)+-\d+$/;

/** Options that have a meaning for some kinds of target only, and for which. */
const KINDS_OF = {
  modelEndpoint: ['local'],
  endpointModel: ['local'],
  endpointApiKeyEnv: ['local'],
  endpointConcurrency: ['local'],
  endpointTimeout: ['local'],
  emulator: ['local'],
  bucket: ['bedrock'],
  bucketOwner: ['bedrock'],
  roleArn: ['bedrock'],
  pollSeconds: ['bedrock'],
  recordsPerJobQuota: ['local', 'bedrock'],
  region: ['bedrock', 'aws'],
  profile: ['bedrock', 'aws'],
  stack: ['aws'],
} as const satisfies Partial<Record<keyof QuarryOptions, readonly RunTarget['kind'][]>>;

/** The target that the options name; what they leave open is as it is remembered of the run. */
export async function chooseTarget(
  given: QuarryOptions,
  { runId, sendsJobs = false }: TargetPurpose = {},
): Promise<RunTarget> {
  const known = runId === undefined ? undefined : (await recallRun(directoryOf(given), runId))?.target;
  const kind: string = given.target ?? known?.kind ?? given.defaults?.target ?? 'local';
  // What is remembered of a run is more than what its project has for others.
  const options = known?.kind === kind ? given : withDefaults(given, kind);
  switch (kind) {
    case 'local': {
      refuseOthers(options, 'local');
      // Named anew, it is the folder's own emulator.
      const remembered = options.target === undefined && known?.kind === 'local' ? known : undefined;
      return {
        kind,
        emulator_url: options.emulator ?? remembered?.emulator_url ?? null,
        records_per_job_quota: options.recordsPerJobQuota ?? remembered?.records_per_job_quota ?? null,
        ...endpointSettings(options, remembered),
      };
    }
    case 'bedrock':
      refuseOthers(options, 'bedrock');
      return bedrockTarget(options, { known: known?.kind === 'bedrock' ? known : undefined, sendsJobs });
    case 'aws':
      refuseOthers(options, 'aws');
      return awsTarget(options, { known: known?.kind === 'aws' ? known : undefined, sendsJobs });
    default:
      throw new InvalidRunInputError(
        `${spellingOf(options)('target')} "${kind}" is unknown. Targets: local, bedrock, aws.`,
      );
  }
}

/** The stack that the options name, which is asked where everything is; a run's own one is remembered. */
async function awsTarget(
  options: QuarryOptions,
  { known, sendsJobs }: { known: AwsRunTarget | undefined; sendsJobs: boolean },
): Promise<AwsRunTarget> {
  const { stack, region, profile } = options;
  if (known !== undefined && stack === undefined && region === undefined && profile === undefined)
    return known;
  await using target = await openStack({
    stack_name: stack ?? known?.stack_name ?? DEFAULT_STACK_NAME,
    region: region ?? known?.region,
    profile: profile ?? known?.profile ?? null,
  });
  // Before a dataset is uploaded to it.
  if (sendsJobs) requireReady(target.deployment);
  const { stackName, bucket, account, limits, region: stackRegion } = target.deployment;
  return {
    kind: 'aws',
    stack_name: stackName,
    bucket,
    bucket_owner: account,
    region: stackRegion,
    profile: profile ?? known?.profile ?? null,
    limits,
  };
}

async function bedrockTarget(
  options: QuarryOptions,
  { known, sendsJobs }: { known: BedrockRunTarget | undefined; sendsJobs: boolean },
): Promise<BedrockRunTarget> {
  const spell = spellingOf(options);
  const bucket = options.bucket ?? known?.bucket;
  const roleArn = options.roleArn ?? known?.role_arn ?? undefined;
  const owner =
    options.bucketOwner ??
    // What was remembered is of the bucket and role that were remembered.
    (options.bucket === undefined && options.roleArn === undefined ? known?.bucket_owner : undefined) ??
    (roleArn === undefined ? undefined : accountOf(roleArn));
  const faults: string[] = [];
  if (bucket === undefined) {
    faults.push(`${spell('bucket')} is missing: the bucket that datasets, runs and results are in`);
  } else if (!BUCKET_PATTERN.test(bucket)) {
    faults.push(
      `${spell('bucket')} "${bucket}" is not a bucket’s name: 3 to 63 lower-case letters, digits, "-" or ".", without s3://`,
    );
  }
  if (roleArn === undefined && sendsJobs) {
    faults.push(
      `${spell('roleArn')} is missing: the service role that Bedrock assumes for the jobs, arn:aws:iam::<account>:role/<name>`,
    );
  } else if (roleArn !== undefined && !ROLE_ARN_PATTERN.test(roleArn)) {
    faults.push(`${spell('roleArn')} "${roleArn}" is not a role’s ARN: arn:aws:iam::<account>:role/<name>`);
  } else if (owner !== undefined && !/^\d{12}$/.test(owner)) {
    faults.push(`${spell('bucketOwner')} "${owner}" is not an account id of twelve digits`);
  }
  const region = options.region ?? known?.region ?? (await configuredRegion(options.profile));
  if (region === undefined) {
    faults.push(
      `no AWS region is set: give ${spell('region')}, or set AWS_REGION, or a region in the AWS profile`,
    );
  } else if (!REGION_PATTERN.test(region)) {
    faults.push(`"${region}" is not an AWS region: write it like us-east-1`);
  }
  if (faults.length > 0 || bucket === undefined || region === undefined) {
    throw new InvalidRunInputError(
      `${spell('target', 'bedrock')} cannot be used like this. Nothing was sent.\n${faults.map((fault) => `  - ${fault}`).join('\n')}\nWhat the bucket and the role need is in docs/aws.md.`,
    );
  }
  return {
    kind: 'bedrock',
    bucket,
    bucket_owner: owner ?? null,
    role_arn: roleArn ?? null,
    region,
    profile: options.profile ?? known?.profile ?? null,
    poll_seconds: options.pollSeconds ?? known?.poll_seconds ?? DEFAULT_POLL_SECONDS,
    records_per_job_quota: options.recordsPerJobQuota ?? known?.records_per_job_quota ?? null,
  };
}

/** The region of the environment or of the profile, as the AWS SDK finds it; undefined where there is none. */
async function configuredRegion(profile: string | undefined): Promise<string | undefined> {
  const client = new S3Client(profile === undefined ? {} : { profile });
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

/** The options, and the defaults that have a meaning for this kind of target. */
function withDefaults(given: QuarryOptions, kind: string): QuarryOptions {
  const { defaults = {} } = given;
  const applies = ([name, value]: [string, unknown]) =>
    value !== undefined &&
    given[name as keyof QuarryOptions] === undefined &&
    Object.hasOwn(KINDS_OF, name) &&
    (KINDS_OF[name as keyof typeof KINDS_OF] as readonly string[]).includes(kind);
  return { ...given, ...Object.fromEntries(Object.entries(defaults).filter(applies)) };
}

function refuseOthers(options: QuarryOptions, kind: RunTarget['kind']): void {
  const spell = spellingOf(options);
  for (const [name, kinds] of Object.entries(KINDS_OF)) {
    const option = name as keyof typeof KINDS_OF;
    if (options[option] === undefined || (kinds as readonly string[]).includes(kind)) continue;
    throw new InvalidRunInputError(
      `${spell(option)} goes with ${spell('target', kinds.join(' or '))}, and this is ${spell('target', kind)}. Add ${spell('target', kinds[0])}, or leave it out.`,
    );
  }
}
