import { type Command, Option } from 'commander';
import { type CheckStatus, DEFAULT_STACK_NAME, type Diagnosis, Quarry } from '../../index.ts';
import type { CliContext } from '../cli-context.ts';
import { EXIT_FAILED } from '../cli-error.ts';
import { pasteable } from '../views/pasteable.ts';

interface DoctorCommandOptions {
  target?: Diagnosis['target'];
  stack?: string;
  bucket?: string;
  roleArn?: string;
  modelId?: string;
  region?: string;
  profile?: string;
  json?: boolean;
}

/** `quarry doctor`: what runs on a target need, whether it is there, and what to do about what is not. */
export function addDoctorCommand(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('Check what runs need: credentials, region, stack, bucket, service role, model, quotas.')
    .addOption(
      new Option(
        '--target <target>',
        'local, bedrock or aws; default: the one that the other options belong to',
      ).choices(['local', 'bedrock', 'aws']),
    )
    .option('--stack <name>', `aws: the stack (default: ${DEFAULT_STACK_NAME})`)
    .option('--bucket <name>', 'bedrock: bucket of datasets, runs and results')
    .option('--role-arn <arn>', 'bedrock: service role that Bedrock assumes for the jobs')
    .option('--model-id <id>', 'a model that is to be run')
    .option('--region <region>', 'AWS region; default: AWS_REGION, or the profile’s')
    .option('--profile <name>', 'profile of the AWS configuration; default: AWS_PROFILE')
    .option('--json', 'print as JSON')
    .action((options: DoctorCommandOptions) => doctor(options, context));
}

async function doctor(options: DoctorCommandOptions, context: CliContext): Promise<void> {
  const { json, modelId, ...rest } = options;
  const diagnosis = await new Quarry(rest).doctor({ modelId });
  context.out.write(
    json ? `${JSON.stringify(diagnosis, null, 2)}\n` : `${diagnosisLines(diagnosis).join('\n')}\n`,
  );
  if (!diagnosis.ok) context.exitStatus = EXIT_FAILED;
}

const STATUSES = ['ok', 'warning', 'failed', 'skipped'] satisfies CheckStatus[];

function diagnosisLines({ target, checks }: Diagnosis): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, found, advice }) => [
    `${status.padEnd(8)} ${name.padEnd(width)}  ${found}`,
    ...(advice === null ? [] : [`${' '.repeat(9 + width)}  → ${advice}`]),
  ]);
  const counts = STATUSES.map((status) => ({
    status,
    number: checks.filter((check) => check.status === status).length,
  })).filter(({ number }) => number > 0);
  return [
    ...lines,
    '',
    counts.map(({ status, number }) => `${number} ${status}`).join(', '),
    ...(target === 'local'
      ? [
          `Runs on this machine need no more. For AWS: ${pasteable('doctor --target bedrock')} (or --target aws)`,
        ]
      : []),
  ];
}
