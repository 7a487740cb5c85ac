import { type ContextEntry, GetRoleCommand, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import { callAws } from '../bedrock/call-aws.ts';
import { type Finding, failed, ok, skipped, UnmetNeed, warning } from './check.ts';
import type { DoctorWorld } from './doctor-world.ts';
import { invokedArns } from './invoked-arns.ts';

/** One or many, as policies have it. */
const Names = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

/** Who may assume a role, as far as Bedrock is concerned. */
const TrustPolicy = z.object({
  Statement: z.preprocess(
    (value) => (Array.isArray(value) ? value : [value]),
    z.array(
      z.object({
        Effect: z.string(),
        Principal: z.union([z.object({ Service: Names.optional() }), z.string()]).optional(),
        Action: Names.optional(),
        Condition: z.record(z.string(), z.record(z.string(), Names)).optional(),
      }),
    ),
  ),
});

const TRUST_PAGE = 'https://docs.aws.amazon.com/bedrock/latest/userguide/batch-iam-sr.html';

/** Whether Bedrock may assume the service role, for this account's jobs only. */
export async function checkTrust(world: DoctorWorld): Promise<Finding> {
  const { roleArn, account } = await roleOf(world);
  if (roleArn.split(':')[4] !== account) {
    return failed(
      `The service role ${roleArn} is of another account than yours, ${account}.`,
      'Use a role of the account in which the jobs run, or sign in to the other one.',
    );
  }
  const name = roleArn.split('/').at(-1) ?? '';
  const document = await callAws({ doing: `look at the role ${name}`, action: 'iam:GetRole' }, async () => {
    try {
      const { Role } = await world.iam.send(new GetRoleCommand({ RoleName: name }));
      return decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '{}');
    } catch (error) {
      if ((error as Error).name === 'NoSuchEntityException') return undefined;
      throw error;
    }
  });
  if (document === undefined) {
    return failed(
      `There is no role ${name}.`,
      'Check its name; a stack makes one of its own: npm run cdk deploy.',
    );
  }
  const trust = TrustPolicy.safeParse(JSON.parse(document)).data?.Statement ?? [];
  const statement = trust.find(
    ({ Effect, Principal, Action = [] }) =>
      Effect === 'Allow' &&
      typeof Principal === 'object' &&
      Principal.Service?.includes('bedrock.amazonaws.com') &&
      Action.some((action) => action === 'sts:AssumeRole' || action === 'sts:*' || action === '*'),
  );
  if (statement === undefined) {
    return failed(
      `The role ${name} does not trust bedrock.amazonaws.com: no job could read its input.`,
      `Let that service assume it, with the condition aws:SourceAccount = ${account} (${TRUST_PAGE}).`,
    );
  }
  const accounts = conditionsOf(statement.Condition ?? {}, 'aws:sourceaccount');
  if (accounts.length === 0) {
    return warning(
      `The role ${name} trusts Bedrock without the condition aws:SourceAccount.`,
      `Add aws:SourceAccount = ${account} to its trust policy, so that nobody else’s jobs can use it (${TRUST_PAGE}).`,
    );
  }
  return accounts.includes(account)
    ? ok(`${name} trusts Bedrock, for jobs of account ${account}.`)
    : failed(
        `The role ${name} trusts Bedrock for jobs of account ${accounts.join(', ')}, not ${account}.`,
        `Set aws:SourceAccount to ${account} in its trust policy.`,
      );
}

/** The values that a condition key must have, whatever its operator and case. */
function conditionsOf(conditions: Record<string, Record<string, string[]>>, key: string): string[] {
  return Object.values(conditions).flatMap((entries) =>
    Object.entries(entries).flatMap(([name, values]) => (name.toLowerCase() === key ? values : [])),
  );
}

/** Whether the service role may read records, write output and invoke the model. */
export async function checkRights(world: DoctorWorld): Promise<Finding> {
  const { roleArn, account, partition } = await roleOf(world);
  const { bucket } = await world.place();
  if (bucket === undefined) throw new UnmetNeed('Not checked: name the bucket with --bucket.');
  const { modelId } = world.options;
  const objects = `arn:${partition}:s3:::${bucket}/working/quarry-doctor/parts/p00000/records.jsonl`;
  const context = [{ key: 'aws:ResourceAccount', value: account }];
  const denied = [
    ...(await deniedTo(world, roleArn, {
      actions: ['s3:GetObject', 's3:PutObject'],
      on: [objects],
      context,
    })),
    ...(await deniedTo(world, roleArn, {
      actions: ['s3:ListBucket'],
      on: [`arn:${partition}:s3:::${bucket}`],
      context,
    })),
    ...(modelId === undefined
      ? []
      : await deniedTo(world, roleArn, {
          actions: ['bedrock:InvokeModel'],
          on: invokedArns(modelId, { region: await world.region(), account, partition }),
          context: [],
        })),
  ];
  if (denied.length > 0) {
    return failed(
      `The service role may not ${denied.join(', ')}.`,
      world.options.target === 'aws'
        ? 'Deploy again (npm run cdk deploy); a model has to be in allowedModels, see docs/aws.md.'
        : 'Allow that in a policy of the role: docs/aws.md has them all.',
    );
  }
  return ok(
    modelId === undefined
      ? 'It may read and write the bucket. Give --model-id to check the model too.'
      : 'It may read and write the bucket and invoke the model.',
  );
}

/** Whether we may hand the service role to Bedrock; on a stack its functions do. */
export async function checkPassRole(world: DoctorWorld): Promise<Finding> {
  const { roleArn } = await roleOf(world);
  const caller = await callerPolicySource(world);
  if (caller === undefined) {
    return skipped('Not checked: it cannot be simulated for this kind of credentials.');
  }
  const denied = await deniedTo(world, caller, {
    actions: ['iam:PassRole'],
    on: [roleArn],
    context: [{ key: 'iam:PassedToService', value: 'bedrock.amazonaws.com' }],
  });
  return denied.length === 0
    ? ok('You may pass the service role to Bedrock.')
    : failed(
        `You may not iam:PassRole on ${roleArn}: no job could be created.`,
        'Allow it in your policy, with the condition iam:PassedToService = bedrock.amazonaws.com.',
      );
}

/** The user or role whose policies decide; a session's are its role's, of which its ARN does not tell the path. */
async function callerPolicySource({ identity, iam }: DoctorWorld): Promise<string | undefined> {
  const { arn } = await identity();
  if (/:user\//.test(arn)) return arn;
  const role = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
  if (role === undefined) return undefined;
  const { Role } = await callAws({ doing: `look at your role ${role}`, action: 'iam:GetRole' }, () =>
    iam.send(new GetRoleCommand({ RoleName: role })),
  );
  return Role?.Arn;
}

/** What is simulated. */
interface Simulation {
  actions: string[];
  on: string[];
  context: { key: string; value: string }[];
}

/** `s3:GetObject on arn:…` for each that is not allowed. */
async function deniedTo(
  { iam }: DoctorWorld,
  principalArn: string,
  { actions, on, context }: Simulation,
): Promise<string[]> {
  const { EvaluationResults = [] } = await callAws(
    { doing: `simulate the policies of ${principalArn}`, action: 'iam:SimulatePrincipalPolicy' },
    () =>
      iam.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: principalArn,
          ActionNames: actions,
          ResourceArns: on,
          ContextEntries: context.map(
            ({ key, value }): ContextEntry => ({
              ContextKeyName: key,
              ContextKeyValues: [value],
              ContextKeyType: 'string',
            }),
          ),
        }),
      ),
  );
  return EvaluationResults.filter(({ EvalDecision }) => EvalDecision !== 'allowed').map(
    ({ EvalActionName, EvalResourceName }) => `${EvalActionName} on ${EvalResourceName}`,
  );
}

async function roleOf({
  place,
  signedIn,
}: DoctorWorld): Promise<{ roleArn: string; account: string; partition: string }> {
  const { roleArn } = await place();
  if (roleArn === undefined) throw new UnmetNeed('Not checked: name the service role with --role-arn.');
  const { account, partition } = await signedIn();
  return { roleArn, account, partition };
}
