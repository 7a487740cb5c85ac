import { Stack } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import packageJson from '../package.json' with { type: 'json' };
import { STEP_NAMES, type StepName } from '../src/workflow/definition.ts';
import { createBedrockServiceRole, type JobNetwork } from './bedrock-service-role.ts';
import { createDataBucket } from './data-bucket.ts';
import { refuseForeignKeys } from './key-grants.ts';
import { modelArns } from './model-arns.ts';
import { DEFAULT_ALLOWED_MODELS } from './settings.ts';
import { createStateMachine } from './state-machine.ts';
import { stepGrants } from './step-grants.ts';
import { createStepLambda, type StepLambda } from './step-lambda.ts';
import { STEP_SIZES } from './step-sizes.ts';

/** What may differ from one deployment to another. */
export interface BedrockBatchWorkflowProps {
  /**
   * Models that jobs may use: ids, patterns (`amazon.nova-*`), inference profiles or ARNs.
   * @default every family that Quarry writes requests for
   */
  readonly allowedModels?: readonly string[];
  /**
   * Buckets that datasets may be read from, beside the workflow's own: `bucket`, or `bucket=account`.
   * @default none
   */
  readonly inputBuckets?: readonly string[];
  /**
   * Key that the bucket is encrypted with.
   * @default S3's own
   */
  readonly encryptionKey?: IKey;
  /**
   * Network that jobs reach the bucket through.
   * @default Bedrock's
   */
  readonly jobNetwork?: JobNetwork;
  /**
   * Secret whose text is a Hugging Face token.
   * @default none: public datasets only
   */
  readonly huggingFaceToken?: ISecret;
  /**
   * ARNs of the KMS keys that input buckets, or the Hugging Face secret, are encrypted with.
   * @default none
   */
  readonly inputKeyArns?: readonly string[];
  /** How many at once, how often, how much. */
  readonly limits?: WorkflowLimits;
  /** How long things are kept. */
  readonly retention?: WorkflowRetention;
}

/** How many at once, how often, how much. */
export interface WorkflowLimits {
  /**
   * Jobs of one run at once.
   * @default 100
   */
  readonly maxConcurrentJobs?: number;
  /**
   * Prepare steps at once.
   * @default 10
   */
  readonly prepareConcurrency?: number;
  /**
   * Seconds between two looks at a job.
   * @default 300
   */
  readonly pollSeconds?: number;
  /**
   * Rows that one Prepare takes at most.
   * @default 1,000,000
   */
  readonly rowsPerSlice?: number;
  /**
   * Fewest records in a job.
   * @default 100
   */
  readonly minRecordsPerJob?: number;
  /**
   * Most records in a job.
   * @default 100,000
   */
  readonly maxRecordsPerJob?: number;
}

/** How long things are kept. */
export interface WorkflowRetention {
  /**
   * Days after which prepared parts and raw model output are deleted.
   * @default 30
   */
  readonly workingFilesDays?: number;
  /**
   * Retention of the logs.
   * @default 30 days
   */
  readonly logs?: RetentionDays;
  /**
   * Deletes the bucket, results included, with the stack.
   * @default false
   */
  readonly destroyBucket?: boolean;
}

const DEFAULT_RETENTION_DAYS = 30;

/** The workflow with all it needs: bucket, service role, a function for each step, state machine. */
export class BedrockBatchWorkflow extends Construct {
  readonly bucket: Bucket;
  /** Role that Bedrock assumes for the jobs. */
  readonly serviceRole: Role;
  readonly stateMachine: StateMachine;
  /** The steps' functions, with their log groups. */
  readonly steps: Readonly<Record<StepName, StepLambda>>;

  constructor(scope: Construct, id: string, props: BedrockBatchWorkflowProps = {}) {
    super(scope, id);
    const {
      encryptionKey,
      jobNetwork,
      inputBuckets = [],
      huggingFaceToken,
      inputKeyArns = [],
      retention = {},
    } = props;
    const { partition } = Stack.of(this);
    refuseForeignKeys(this, [
      ...inputKeyArns,
      ...(encryptionKey === undefined ? [] : [encryptionKey.keyArn]),
    ]);
    const logRetention: RetentionDays = retention.logs ?? DEFAULT_RETENTION_DAYS;
    const models = modelArns(this, props.allowedModels ?? DEFAULT_ALLOWED_MODELS);

    this.bucket = createDataBucket(this, 'Data', {
      encryptionKey,
      workingFilesDays: retention.workingFilesDays ?? DEFAULT_RETENTION_DAYS,
      destroy: retention.destroyBucket ?? false,
    });
    this.serviceRole = createBedrockServiceRole(this, 'ServiceRole', {
      bucket: this.bucket,
      modelArns: models,
      encryptionKey,
      jobNetwork,
    });

    const grants = stepGrants(this, {
      bucket: this.bucket,
      inputBucketArns: inputBuckets.map((entry) => `arn:${partition}:s3:::${entry.split('=')[0]}`),
      modelArns: models,
      serviceRoleArn: this.serviceRole.roleArn,
      encryptionKey,
      huggingFaceToken,
      inputKeyArns,
    });
    const environment = this.#environmentOf(props);
    this.steps = forEachStep((step) =>
      createStepLambda(this, `${step.charAt(0).toUpperCase()}${step.slice(1)}`, {
        size: STEP_SIZES[step],
        environment:
          step === 'plan' && huggingFaceToken !== undefined
            ? { ...environment, QUARRY_HUGGING_FACE_SECRET_ARN: huggingFaceToken.secretArn }
            : environment,
        grants: grants[step],
        logRetention,
      }),
    );
    this.stateMachine = createStateMachine(this, 'Workflow', {
      bucket: this.bucket,
      functions: forEachStep((step): LambdaFunction => this.steps[step].lambda),
      encryptionKey,
      logRetention,
    });
  }

  /** What the steps' functions are told. */
  #environmentOf(props: BedrockBatchWorkflowProps): Record<string, string> {
    const { encryptionKey, jobNetwork, inputBuckets = [], limits = {}, retention = {} } = props;
    return withoutUndefined({
      QUARRY_BUCKET: this.bucket.bucketName,
      QUARRY_BUCKET_OWNER: Stack.of(this).account,
      QUARRY_ROLE_ARN: this.serviceRole.roleArn,
      QUARRY_VERSION: packageVersion(),
      QUARRY_INPUT_BUCKET_OWNERS: inputBuckets.filter((entry) => entry.includes('=')).join(',') || undefined,
      QUARRY_OUTPUT_KEY_ARN: encryptionKey?.keyArn,
      QUARRY_JOB_SUBNET_IDS: jobNetwork?.subnetIds.join(','),
      QUARRY_JOB_SECURITY_GROUP_IDS: jobNetwork?.securityGroupIds.join(','),
      QUARRY_MAX_CONCURRENT_JOBS: limits.maxConcurrentJobs?.toString(),
      QUARRY_PREPARE_CONCURRENCY: limits.prepareConcurrency?.toString(),
      QUARRY_POLL_SECONDS: limits.pollSeconds?.toString(),
      QUARRY_ROWS_PER_SLICE: limits.rowsPerSlice?.toString(),
      QUARRY_WORKING_FILES_DAYS: `${retention.workingFilesDays ?? DEFAULT_RETENTION_DAYS}`,
      QUARRY_MIN_RECORDS_PER_JOB: limits.minRecordsPerJob?.toString(),
      QUARRY_MAX_RECORDS_PER_JOB: limits.maxRecordsPerJob?.toString(),
    });
  }
}

function forEachStep<T>(make: (step: StepName) => T): Record<StepName, T> {
  return Object.fromEntries(STEP_NAMES.map((step) => [step, make(step)])) as Record<StepName, T>;
}

function withoutUndefined(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Quarry's own version, which every run records. */
export function packageVersion(): string {
  return packageJson.version;
}
