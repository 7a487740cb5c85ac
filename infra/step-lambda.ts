import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { attachGrants, type Grant } from './grant.ts';
import { stepCode } from './step-code.ts';
import type { StepSize } from './step-sizes.ts';

/** How a step's function is made. */
export interface StepLambdaOptions {
  size: StepSize;
  environment: Readonly<Record<string, string>>;
  grants: readonly Grant[];
  logRetention: RetentionDays;
}

/** A step's function, and where it logs. */
export interface StepLambda {
  lambda: LambdaFunction;
  logGroup: LogGroup;
}

/** Minutes that a function may take: all that Lambda gives. */
const TIMEOUT_MINUTES = 15;

/** Makes the Lambda function of one step, with a role of its own. */
export function createStepLambda(scope: Construct, id: string, options: StepLambdaOptions): StepLambda {
  const { size, environment, grants, logRetention } = options;
  const logGroup = new LogGroup(scope, `${id}Log`, {
    retention: logRetention,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const policy = attachGrants(scope, `${id}Policy`, {
    role,
    grants: [
      {
        sid: 'WriteLog',
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [logGroup.logGroupArn],
        reason: 'The log streams of its own log group.',
      },
      {
        sid: 'Trace',
        actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
        resources: ['*'],
        reason: 'X-Ray knows no resources.',
      },
      ...grants,
    ],
  });
  const lambda = new LambdaFunction(scope, id, {
    description: size.description,
    code: stepCode(size),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.X86_64,
    memorySize: size.memoryMb,
    ephemeralStorageSize: Size.mebibytes(size.diskMb),
    timeout: Duration.minutes(TIMEOUT_MINUTES),
    tracing: Tracing.ACTIVE,
    role: role.withoutPolicyUpdates(),
    logGroup,
    // Executions under way go on with the version that they were started with, for as long as they take.
    currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    environment: { ...environment, NODE_OPTIONS: '--enable-source-maps' },
  });
  lambda.node.addDependency(policy);
  return { lambda, logGroup };
}
