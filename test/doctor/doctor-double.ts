import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { Check } from '../../src/doctor/check.ts';
import type { DoctorOptions } from '../../src/doctor/doctor-world.ts';
import { type Diagnosis, examine } from '../../src/doctor/examine.ts';
import { type DoubleScript, startAwsDouble, stubAwsEnvironment, xmlResult } from '../support/aws-double.ts';

export const ACCOUNT = '123456789012';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/service/QuarryService`;
export const MODEL = 'us.anthropic.claude-haiku-4-5-20251001-v1:0';
const BASE_MODEL = 'anthropic.claude-haiku-4-5-20251001-v1:0';

export function identity(arn = `arn:aws:iam::${ACCOUNT}:user/a`) {
  return xmlResult('GetCallerIdentity', `<Account>${ACCOUNT}</Account><Arn>${arn}</Arn><UserId>A</UserId>`);
}

export function stackOutputs(outputs: Record<string, string> = {}) {
  const all = {
    bucketName: 'the-bucket',
    stateMachineArn: `arn:aws:states:us-east-1:${ACCOUNT}:stateMachine:Workflow`,
    stepFunctionName: 'Workflow',
    serviceRoleArn: ROLE,
    quarryVersion: '0.1.0',
    maxConcurrentJobs: '100',
    prepareConcurrency: '10',
    minRecordsPerJob: '100',
    maxRecordsPerJob: '100000',
    ...outputs,
  };
  const members = Object.entries(all).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  return xmlResult(
    'DescribeStacks',
    `<Stacks><member><StackName>Quarry</StackName><StackId>arn:aws:cloudformation:us-east-1:${ACCOUNT}:stack/Quarry/1</StackId><StackStatus>CREATE_COMPLETE</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks>`,
  );
}

export function role(trust: object | object[], arn = ROLE) {
  const document = encodeURIComponent(JSON.stringify({ Version: '2012-10-17', Statement: trust }));
  return xmlResult(
    'GetRole',
    `<Role><Arn>${arn}</Arn><RoleName>QuarryService</RoleName><AssumeRolePolicyDocument>${document}</AssumeRolePolicyDocument></Role>`,
  );
}

export const TRUST = {
  Effect: 'Allow',
  Principal: { Service: 'bedrock.amazonaws.com' },
  Action: 'sts:AssumeRole',
  Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
};

/** Allows everything but the actions that are named. */
export function simulation(...denied: string[]): DoubleScript[string] {
  return ({ body }) => {
    const listOf = (name: string) =>
      Object.entries(body).flatMap(([key, value]) =>
        key.startsWith(`${name}.member`) ? [String(value)] : [],
      );
    const results = listOf('ActionNames').flatMap((action) =>
      listOf('ResourceArns').map(
        (resource) =>
          `<member><EvalActionName>${action}</EvalActionName><EvalResourceName>${resource}</EvalResourceName><EvalDecision>${denied.includes(action) ? 'implicitDeny' : 'allowed'}</EvalDecision></member>`,
      ),
    );
    return xmlResult('SimulatePrincipalPolicy', `<EvaluationResults>${results.join('')}</EvaluationResults>`);
  };
}

export function foundationModel(more: object = {}) {
  return {
    body: {
      modelDetails: {
        modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${BASE_MODEL}`,
        modelId: BASE_MODEL,
        modelName: 'Claude Haiku 4.5',
        providerName: 'Anthropic',
        modelLifecycle: { status: 'ACTIVE' },
        ...more,
      },
    },
  };
}

export function availability(more: object = {}) {
  return {
    body: {
      modelId: BASE_MODEL,
      agreementAvailability: { status: 'AVAILABLE' },
      authorizationStatus: 'AUTHORIZED',
      entitlementAvailability: 'AVAILABLE',
      regionAvailability: 'AVAILABLE',
      ...more,
    },
  };
}

export function quotas(values: Record<string, number>) {
  return {
    body: {
      Quotas: Object.entries(values).map(([QuotaName, Value]) => ({
        QuotaName,
        Value,
        ServiceCode: 'bedrock',
      })),
    },
  };
}

export const QUOTAS = {
  'Minimum number of records per batch inference job for Claude Haiku 4.5': 100,
  'Records per batch inference job for Claude Haiku 4.5': 100_000,
  'Records per batch inference job for Claude 3 Haiku': 1,
  'Sum of in-progress and submitted batch inference jobs using a base model for Claude Haiku 4.5': 100,
};

/** Where no stack names them. */
export const GIVEN = { target: 'bedrock', bucket: 'the-bucket', roleArn: ROLE } as const;

/** What S3 answers of a bucket's encryption and public access. */
export function bucketSettings({
  encryption,
  block,
}: {
  encryption?: string;
  block?: string;
} = {}): DoubleScript[string] {
  return ({ query }) =>
    query.has('encryption')
      ? {
          body:
            encryption ??
            '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>',
        }
      : {
          body:
            block ??
            '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>',
        };
}

/** An account in which all is well. */
export const WELL: DoubleScript = {
  GetCallerIdentity: identity(),
  DescribeStacks: stackOutputs(),
  'GET /model-invocation-jobs': { body: { invocationJobSummaries: [] } },
  'HEAD /the-bucket*': { headers: { 'x-amz-bucket-region': 'us-east-1' }, body: '' },
  'PUT /the-bucket/datasets/*': { body: '' },
  'GET /the-bucket/datasets/*': { body: 'quarry doctor' },
  'DELETE /the-bucket/datasets/*': { status: 204, body: '' },
  'GET /the-bucket*': bucketSettings(),
  GetRole: role(TRUST),
  SimulatePrincipalPolicy: simulation(),
  'GET /inference-profiles/*': { body: { inferenceProfileId: MODEL, status: 'ACTIVE', models: [] } },
  'GET /foundation-models/*': foundationModel(),
  'GET /foundation-model-availability/*': availability(),
  ListServiceQuotas: quotas(QUOTAS),
  GetServiceQuota: { body: { Quota: { Value: 1000 } } },
};

/** Examines that account with these differences. */
export async function examineDouble(
  script: DoubleScript,
  options: Partial<DoctorOptions> = {},
): Promise<Diagnosis & { of: (name: string) => Check | undefined }> {
  const double = await startAwsDouble({ ...WELL, ...script });
  onTestFinished(() => double[Symbol.asyncDispose]());
  stubAwsEnvironment(double.url, options.environment);
  const diagnosis = await examine(
    {
      target: 'aws',
      stackName: 'Quarry',
      modelId: MODEL,
      version: '0.1.0',
      clock: systemClock,
      fetch,
      environment: {},
      ...options,
    },
    '24.21.0',
  );
  return { ...diagnosis, of: (name) => diagnosis.checks.find((check) => check.name === name) };
}

/** A world with one fault in it, the check that finds it, and what it says; and what else is examined. */
type Fault = [
  name: string,
  check: string,
  script: DoubleScript,
  finding: object,
  options?: Partial<DoctorOptions>,
];

/** A test for each of them: it is found, and nothing else stops the others from being looked at. */
export function testFaults(faults: readonly Fault[]): void {
  test.each(faults)('%s is found, with what to do', async (_, name, script, finding, options = {}) => {
    const diagnosis = await examineDouble(script, options);
    expect(diagnosis.of(name)).toMatchObject({ name, ...finding });
    expect(diagnosis.ok).toBe(diagnosis.checks.every(({ status }) => status !== 'failed'));
  });
}
