import { join } from 'node:path';
import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { attachGrants, type Grant } from './grant.ts';
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
  lambda: NodejsFunction;
  logGroup: LogGroup;
}

const ROOT = join(import.meta.dirname, '..');

/** Minutes that a function may take: all that Lambda gives. */
const TIMEOUT_MINUTES = 15;

/** CommonJS packages in an ES module ask for `require`. */
const REQUIRE_BANNER =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

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
  const lambda = new NodejsFunction(scope, id, {
    description: size.description,
    entry: join(ROOT, 'src', 'handlers', size.file),
    handler: 'handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.X86_64,
    memorySize: size.memoryMb,
    ephemeralStorageSize: Size.mebibytes(size.diskMb),
    timeout: Duration.minutes(TIMEOUT_MINUTES),
    tracing: Tracing.ACTIVE,
    role: role.withoutPolicyUpdates(),
    logGroup,
    environment: { ...environment, NODE_OPTIONS: '--enable-source-maps' },
    projectRoot: ROOT,
    depsLockFilePath: join(ROOT, 'package-lock.json'),
    bundling: {
      format: OutputFormat.ESM,
      target: 'node24',
      mainFields: ['module', 'main'],
      minify: true,
      sourceMap: true,
      sourcesContent: false,
      banner: REQUIRE_BANNER,
      externalModules: ['@duckdb/*'],
      commandHooks: {
        beforeInstall: () => [],
        beforeBundling: () => [],
        afterBundling: (inputDirectory, outputDirectory) =>
          size.duckDb
            ? [
                [process.execPath, join(inputDirectory, 'infra', 'install-duckdb.ts'), outputDirectory]
                  .map((word) => JSON.stringify(word))
                  .join(' '),
              ]
            : [],
      },
    },
  });
  lambda.node.addDependency(policy);
  return { lambda, logGroup };
}
