import { relative } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_BATCH_QUOTAS } from '../../core/jobs/quotas.ts';
import {
  DEFAULT_POLL_SECONDS,
  DEFAULT_STACK_NAME,
  type FoundConfig,
  findConfig,
  InvalidRunInputError,
  Quarry,
  type RunTarget,
} from '../../index.ts';
import { addEndpointOptions, type EndpointOptions } from './endpoint-options.ts';

/** What a command says of the RUN that it takes. */
export const RUN_ARGUMENT = 'the run’s id, or its unique beginning; the newest unless given';

/** Options of every command that has to do with runs: where they run, and where their files lie. */
export interface TargetOptions extends EndpointOptions {
  dir: string;
  target?: string;
  emulator?: string;
  bucket?: string;
  bucketOwner?: string;
  roleArn?: string;
  region?: string;
  profile?: string;
  pollSeconds?: number;
  recordsPerJobQuota?: number;
  stack?: string;
  notify?: string;
  /** The project’s own options. */
  config?: FoundConfig;
}

/** Adds those options to a command. */
export function addTargetOptions(command: Command): Command {
  const others = command.options.length;
  addOptions(command);
  for (const option of command.options.slice(others)) option.helpGroup('Where it runs:');
  return command;
}

function addOptions(command: Command): void {
  const local = command
    .option(
      '--target <target>',
      'local (an emulator), bedrock (this machine and your account), or aws (the stack); default: where the run is, else local',
    )
    .option('--dir <directory>', 'the local store: s3://bucket/key is <directory>/bucket/key', '.quarry');
  addEndpointOptions(local, 'local: ')
    .option('--emulator <url>', 'local: use a Bedrock emulator that runs already (quarry emulate)')
    .option('--bucket <name>', 'bedrock: bucket of datasets, runs and results, in the region of the jobs')
    .option(
      '--bucket-owner <account>',
      'bedrock: account that the bucket must belong to; default: the role’s',
    )
    .option('--role-arn <arn>', 'bedrock: service role that Bedrock assumes for the jobs')
    .option('--stack <name>', `aws: the stack; default: ${DEFAULT_STACK_NAME}`)
    .option('--region <region>', 'bedrock, aws: region; default: AWS_REGION, or the profile’s')
    .option('--profile <name>', 'bedrock, aws: profile of the AWS configuration; default: AWS_PROFILE')
    .option(
      '--poll-seconds <n>',
      `bedrock: seconds between two looks at a job; default ${DEFAULT_POLL_SECONDS}`,
      toSeconds,
    )
    .option(
      '--records-per-job-quota <n>',
      `local, bedrock: records that one job may have by the account’s quota; default: read from Service Quotas (bedrock), else ${DEFAULT_BATCH_QUOTAS.maxRecordsPerJob}`,
      toRecords,
    );
}

/** Puts what `quarry.config.json` says behind the flags of a command that has to do with runs. */
export async function holdConfig(command: Command): Promise<void> {
  if (!command.options.some(({ long }) => long === '--target')) return;
  const config = await findConfig(process.cwd());
  if (config === undefined) return;
  command.setOptionValueWithSource('config', config, 'config');
  const { directory } = config.defaults;
  if (directory !== undefined && command.getOptionValueSource('dir') === 'default') {
    // As it would be written here, since messages repeat it.
    command.setOptionValueWithSource('dir', relative(process.cwd(), directory), 'config');
  }
}

/** The library with what the options name. */
export function quarryOf({ dir, config, ...options }: TargetOptions): Quarry {
  const { target, emulator, bucket, bucketOwner, roleArn } = options;
  const { modelEndpoint, endpointModel, endpointApiKeyEnv, endpointConcurrency, endpointTimeout } = options;
  const { region, profile, pollSeconds, recordsPerJobQuota, stack, notify } = options;
  return new Quarry({
    directory: dir,
    target: toTarget(target),
    modelEndpoint,
    endpointModel,
    endpointApiKeyEnv,
    endpointConcurrency,
    endpointTimeout,
    emulator,
    bucket,
    bucketOwner,
    roleArn,
    region,
    profile,
    pollSeconds,
    recordsPerJobQuota,
    stack,
    notify,
    defaults: config?.defaults,
    spell: spellFlag,
  });
}

/** `--role-arn`, or `--target bedrock`, as users have typed it. */
export function spellFlag(option: string, value?: string): string {
  const flag =
    option === 'directory' ? 'dir' : option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return value === undefined ? `--${flag}` : `--${flag} ${value}`;
}

function toTarget(text: string | undefined): RunTarget['kind'] | undefined {
  if (text === undefined || text === 'local' || text === 'bedrock' || text === 'aws') return text;
  throw new InvalidRunInputError(`--target "${text}" is unknown. Targets: local, bedrock, aws.`);
}

function toSeconds(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('Give a whole number of seconds from 1.');
  return Number(text);
}

function toRecords(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number of records from 1.');
  return Number(text);
}
