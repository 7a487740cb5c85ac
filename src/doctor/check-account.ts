import { ListModelInvocationJobsCommand } from '@aws-sdk/client-bedrock';
import { callAws } from '../bedrock/call-aws.ts';
import { DeploymentError, ServiceUnavailableError } from '../core/errors.ts';
import type { Deployment } from '../targets/aws/deployment.ts';
import { type Finding, failed, ok, UnmetNeed, warning } from './check.ts';
import type { DoctorWorld } from './doctor-world.ts';

/** Milliseconds of life that credentials should have left. */
const SOON_MS = 60 * 60_000;

/** Whether a region is set. */
export async function checkRegion({ region }: DoctorWorld): Promise<Finding> {
  try {
    return ok(await region());
  } catch {
    return failed(
      'No AWS region is set.',
      'Set AWS_REGION, or a region in your profile (aws configure), or give --region.',
    );
  }
}

/** Whether there are credentials, whose, and for how long. */
export async function checkCredentials({ identity, options }: DoctorWorld): Promise<Finding> {
  try {
    const { account, arn, expiresAt } = await identity();
    const who = `account ${account}, ${arn}`;
    if (expiresAt === undefined) return ok(who);
    const until = `until ${expiresAt.toISOString()}`;
    return expiresAt.getTime() - options.clock.now() < SOON_MS
      ? warning(
          `${who}, ${until}: less than an hour.`,
          'Sign in again before you start something long. What runs on AWS goes on without you; --target bedrock does not.',
        )
      : ok(`${who}, ${until}`);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof UnmetNeed) throw error;
    if (error instanceof ServiceUnavailableError) {
      return failed(message, 'AWS cannot be reached from here. Check the network, and try again.');
    }
    return failed(message, 'Sign in (aws sso login, aws configure), or name a profile with --profile.');
  }
}

/** Whether Bedrock has batch inference in the region. */
export async function checkBedrock({ bedrock, signedIn, region }: DoctorWorld): Promise<Finding> {
  await signedIn();
  const place = await region();
  const elsewhere = 'Use a region that has it, such as us-east-1, us-west-2 or eu-central-1: AWS_REGION.';
  try {
    await callAws({ doing: 'list the batch inference jobs', action: 'bedrock:ListModelInvocationJobs' }, () =>
      bedrock.send(new ListModelInvocationJobsCommand({ maxResults: 1 })),
    );
    return ok(`Bedrock has batch inference in ${place}.`);
  } catch (error) {
    const { cause, name } = error as Error;
    const { code = '', $metadata } = (cause ?? error) as {
      code?: string;
      $metadata?: { httpStatusCode?: number };
    };
    if (code === 'ENOTFOUND') return failed(`There is no Amazon Bedrock in ${place}.`, elsewhere);
    if ($metadata?.httpStatusCode === 404 || name === 'UnknownOperationException') {
      return failed(`Bedrock has no batch inference in ${place}.`, elsewhere);
    }
    throw error;
  }
}

/** Whether the stack is there, ready, and of this version. */
export async function checkStack({ deployment }: DoctorWorld): Promise<Finding> {
  let found: Deployment;
  try {
    found = await deployment();
  } catch (error) {
    if (error instanceof DeploymentError) return failed(...splitAdvice(error.message));
    throw error;
  }
  const { stackName, region, quarryVersion, problems } = found;
  const worst = problems.find(({ blocksStart }) => blocksStart) ?? problems[0];
  if (worst === undefined)
    return ok(`"${stackName}" in ${region}: Quarry ${quarryVersion}, the same version as this.`);
  return worst.blocksStart ? failed(...splitAdvice(worst.message)) : warning(...splitAdvice(worst.message));
}

/** What is so, and what to do, which is all behind the first sentence. */
function splitAdvice(message: string): [found: string, advice: string] {
  const [found = '', ...advice] = message.split(/(?<=[.:]) /);
  return [found, advice.join(' ')];
}
