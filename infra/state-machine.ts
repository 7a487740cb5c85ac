import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { definition, STEP_NAMES, type StepName } from '../src/workflow/definition.ts';
import { attachGrants, type Grant } from './grant.ts';
import { keyGrants } from './key-grants.ts';

/** What the state machine works with. */
export interface WorkflowStateMachineOptions {
  bucket: Bucket;
  functions: Readonly<Record<StepName, LambdaFunction>>;
  encryptionKey: IKey | undefined;
  logRetention: RetentionDays;
}

/** Labels of the Map states, which are in the ARNs of their Map Runs. */
const MAP_LABELS = Object.values(definition.States).flatMap((state) =>
  'Label' in state ? [state.Label] : [],
);

/** The definition's text with the partition of its integrations left open: GovCloud and China have their own. */
export function deployableDefinition(): string {
  return JSON.stringify(definition).replaceAll('"arn:aws:states:', '"arn:${partition}:states:');
}

/** Deploys the workflow's definition as it is; the functions' ARNs come in by substitution. */
export function createStateMachine(
  scope: Construct,
  id: string,
  options: WorkflowStateMachineOptions,
): StateMachine {
  const { functions, logRetention } = options;
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('states.amazonaws.com') });
  const policy = attachGrants(scope, `${id}Policy`, { role, grants: machineGrants(scope, options) });
  const stateMachine = new StateMachine(scope, id, {
    comment: definition.Comment,
    definitionBody: DefinitionBody.fromString(deployableDefinition()),
    definitionSubstitutions: {
      partition: Stack.of(scope).partition,
      // A version, not $LATEST: an execution that a deployment finds under way keeps its code.
      ...Object.fromEntries(
        STEP_NAMES.map((step) => [`${step}Function`, functions[step].currentVersion.functionArn]),
      ),
    },
    role: role.withoutPolicyUpdates(),
    tracingEnabled: true,
    logs: {
      destination: new LogGroup(scope, `${id}Log`, {
        // Step Functions needs this prefix where an account has many log groups.
        logGroupName: `/aws/vendedlogs/states/${Stack.of(scope).stackName}-${id}-${scope.node.addr.slice(-8)}`,
        retention: logRetention,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      level: LogLevel.ERROR,
      // Run inputs hold prompts, and errors may quote the dataset.
      includeExecutionData: false,
    },
  });
  stateMachine.node.addDependency(policy);
  Validations.of(stateMachine).acknowledge({
    id: 'AwsSolutions-SF1',
    reason:
      'Only errors are logged: every event is in the execution’s own history, and ALL would write each poll of each job to CloudWatch.',
  });
  // A Distributed Map starts executions of its own machine; a policy of its own, since the machine cannot wait for it.
  attachGrants(scope, `${id}MapRunPolicy`, { role, grants: mapRunGrants(scope, stateMachine) });
  return stateMachine;
}

/** What the machine may do by itself. */
function machineGrants(
  scope: Construct,
  { bucket, functions, encryptionKey }: WorkflowStateMachineOptions,
): Grant[] {
  const { partition, region, account } = Stack.of(scope);
  return [
    {
      sid: 'CallSteps',
      actions: ['lambda:InvokeFunction'],
      resources: STEP_NAMES.map((step) => `${functions[step].functionArn}:*`),
      reason: 'The steps’ functions, in the versions that executions under way were started with.',
    },
    {
      sid: 'WatchJobs',
      actions: ['bedrock:GetModelInvocationJob'],
      resources: [`arn:${partition}:bedrock:${region}:${account}:model-invocation-job/*`],
      reason: 'A job’s id is not known before it exists.',
    },
    {
      sid: 'ReadItems',
      actions: ['s3:GetObject'],
      resources: [bucket.arnForObjects('runs/*/slices.json'), bucket.arnForObjects('runs/*/waves/*')],
      reason: 'The lists that the Map states go through, of any run.',
    },
    {
      sid: 'WriteMapResults',
      actions: ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
      resources: [bucket.arnForObjects('working/*/map-results/*')],
      reason: 'The results of the Map states, of any run.',
    },
    ...OBSERVING,
    ...keyGrants(encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
}

/** Logs and traces, whose actions know no resources. */
const OBSERVING: readonly Grant[] = [
  {
    sid: 'WriteLog',
    actions: [
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ],
    resources: ['*'],
    reason: 'CloudWatch’s log delivery actions know no resources.',
  },
  {
    sid: 'Trace',
    actions: [
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ],
    resources: ['*'],
    reason: 'X-Ray knows no resources.',
  },
];

function mapRunGrants(scope: Construct, stateMachine: StateMachine): Grant[] {
  const { partition, region, account } = Stack.of(scope);
  const executions = `arn:${partition}:states:${region}:${account}:execution:${stateMachine.stateMachineName}`;
  return [
    {
      sid: 'StartChildren',
      actions: ['states:StartExecution'],
      resources: [stateMachine.stateMachineArn],
      reason: 'A Map Run starts its children as executions of the same machine.',
    },
    {
      sid: 'ManageChildren',
      actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'],
      resources: MAP_LABELS.map((label) => `${executions}/${label}:*`),
      reason: 'The children of the Map Runs, whose names Step Functions makes up.',
    },
  ];
}
