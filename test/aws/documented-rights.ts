import { DEFAULT_ALLOWED_MODELS } from '../../infra/settings.ts';
import { STEP_NAMES, type StepName } from '../../src/workflow/definition.ts';
import type { RequiredRight } from './iam-policy.ts';
import { MOTO_ACCOUNT, REGION } from './moto.ts';
import type { RecordedCall } from './recording-proxy.ts';
import { functionIdOf, type TemplateResource } from './synthesized.ts';

/** Who calls AWS in a deployed stack. */
export type Caller = StepName | 'stateMachine' | 'serviceRole';

/** What the rights of a service's own doings depend on. */
export interface DeployedNames {
  resources: Record<string, TemplateResource>;
  resolve(value: unknown): unknown;
  bucket: string;
}

/**
 * The rights by which AWS's own services act with a role of the stack, beside the calls of our code, as their documentation
 * has it: nothing here runs those services, so that a call of theirs cannot be recorded.
 */
export function documentedRights(caller: Caller, names: DeployedNames): RequiredRight[] {
  switch (caller) {
    case 'stateMachine':
      return stateMachineRights(names);
    case 'serviceRole':
      return [...serviceRoleRights(names), ...modelRights('bedrock:InvokeModel')];
    case 'submit':
      return [...functionRights(caller, names), ...modelRights('bedrock:CreateModelInvocationJob')];
    case 'runOnDemand':
      return [...functionRights(caller, names), ...modelRights('bedrock:InvokeModel')];
    default:
      return functionRights(caller, names);
  }
}

/**
 * What else a recorded call stands for: a file goes up in parts once it is large, and an upload that fails is taken back.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
 */
export function impliedRights(call: RecordedCall): RequiredRight[] {
  const path = decodeURIComponent(call.path);
  const isUpload = call.method === 'PUT' && call.status === 200 && /\.(?:parquet|jsonl|csv)$/.test(path);
  return isUpload ? [{ action: 's3:AbortMultipartUpload', resource: `arn:aws:s3:::${path.slice(1)}` }] : [];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html and …/services-xray.html */
function functionRights(step: StepName, { resources, resolve }: DeployedNames): RequiredRight[] {
  const { LoggingConfig, TracingConfig } = (resources[functionIdOf(step, resources)]?.Properties ?? {}) as {
    LoggingConfig?: { LogGroup: unknown };
    TracingConfig?: { Mode: string };
  };
  const group = String(resolve(LoggingConfig?.LogGroup));
  const stream = `arn:aws:logs:${REGION}:${MOTO_ACCOUNT}:log-group:${group}:log-stream:2026/01/01/[1]abc`;
  return [
    { action: 'logs:CreateLogStream', resource: stream },
    { action: 'logs:PutLogEvents', resource: stream },
    ...(TracingConfig?.Mode === 'Active'
      ? [...rightsOnAll('xray:PutTraceSegments', 'xray:PutTelemetryRecords')]
      : []),
  ];
}

/**
 * https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy, …/concepts-xray-tracing.html,
 * …/iam-policies-eg-dist-map.html
 */
function stateMachineRights({ resources, resolve, bucket }: DeployedNames): RequiredRight[] {
  const [id = '', machine] =
    Object.entries(resources).find(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine') ?? [];
  const { TracingConfiguration, LoggingConfiguration, DefinitionString } = (machine?.Properties ?? {}) as {
    TracingConfiguration?: { Enabled: boolean };
    LoggingConfiguration?: unknown;
    DefinitionString?: unknown;
  };
  const arn = String(resolve({ Ref: id }));
  const executions = arn.replace(':stateMachine:', ':execution:');
  const labels = [...String(DefinitionString).matchAll(/"Label":"(\w+)"/g)].map(([, label]) => label);
  const mapResult = `arn:aws:s3:::${bucket}/working/a-run/map-results/0/SUCCEEDED_0.json`;
  return [
    ...(TracingConfiguration?.Enabled
      ? rightsOnAll(
          'xray:PutTraceSegments',
          'xray:PutTelemetryRecords',
          'xray:GetSamplingRules',
          'xray:GetSamplingTargets',
        )
      : []),
    ...(LoggingConfiguration === undefined
      ? []
      : rightsOnAll(
          'logs:CreateLogDelivery',
          'logs:GetLogDelivery',
          'logs:UpdateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:DescribeResourcePolicies',
          'logs:DescribeLogGroups',
        )),
    ...['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'].map(
      (action) => ({ action, resource: mapResult }),
    ),
    { action: 'states:StartExecution', resource: arn },
    ...labels.flatMap((label) =>
      ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'].map((action) => ({
        action,
        resource: `${executions}/${label}:a-child`,
      })),
    ),
  ];
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/batch-iam-sr.html */
function serviceRoleRights({ bucket }: DeployedNames): RequiredRight[] {
  const context = { 'aws:ResourceAccount': MOTO_ACCOUNT };
  return [
    { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}`, context },
    ...['s3:GetObject', 's3:PutObject'].map((action) => ({
      action,
      resource: `arn:aws:s3:::${bucket}/working/a-run/parts/p00000/records.jsonl`,
      context,
    })),
  ];
}

/**
 * What runs of the allowed models need: the profile here, and the model wherever a profile may send a request.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
function modelRights(action: string): RequiredRight[] {
  return DEFAULT_ALLOWED_MODELS.map((pattern) => pattern.replaceAll('*', 'any')).flatMap((model) => [
    { action, resource: `arn:aws:bedrock:us-west-2::foundation-model/${model}` },
    { action, resource: `arn:aws:bedrock:${REGION}:${MOTO_ACCOUNT}:inference-profile/us.${model}` },
  ]);
}

function rightsOnAll(...actions: string[]): RequiredRight[] {
  return actions.map((action) => ({ action, resource: '*' }));
}

/** Everybody whose policies are held against what they do. */
export const CALLERS: readonly Caller[] = [...STEP_NAMES, 'stateMachine', 'serviceRole'];
