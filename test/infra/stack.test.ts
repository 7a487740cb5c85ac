import validate from 'asl-validator';
import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, test } from 'vitest';
import { definition, STEP_NAMES } from '../../src/workflow/definition.ts';
import { EVERYTHING, type Statement, statement, statementsOf, synthesize } from './synth.ts';

const plain = synthesize();
const full = synthesize(EVERYTHING);

describe('the bucket', () => {
  test('is encrypted, private and refuses plain HTTP', () => {
    plain.template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
    });
    plain.template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      },
    });
  });

  test('forgets working files after 30 days, and keeps results', () => {
    plain.template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'BrokenUploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          { Id: 'WorkingFiles', Status: 'Enabled', Prefix: 'working/', ExpirationInDays: 30 },
        ],
      },
    });
  });

  test('outlives the stack, unless its first deployment fails or the context says otherwise', () => {
    plain.template.hasResource('AWS::S3::Bucket', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
    });
    synthesize({ destroyBucket: true }).template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  });

  test('is encrypted with the key that was given', () => {
    full.template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: EVERYTHING.kmsKeyArn },
          },
        ],
      },
    });
  });
});

describe('the Bedrock service role', () => {
  test('is assumed by Bedrock only, for jobs of this account and region only', () => {
    plain.template.hasResourceProperties('AWS::IAM::Role', {
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Action: 'sts:AssumeRole',
            Effect: 'Allow',
            Principal: { Service: 'bedrock.amazonaws.com' },
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: { 'aws:SourceArn': Match.anyValue() },
            },
          },
        ],
      },
    });
  });

  test('reads and writes working files, never results or datasets', () => {
    const resources = JSON.stringify(statement(plain, 'ServiceRolePolicy', 'RecordsAndOutput')?.Resource);
    expect(resources).toContain('/working/*');
    expect(resources).not.toContain('runs');
  });

  test('may use a network where one was given, and only then', () => {
    expect(statement(full, 'ServiceRolePolicy', 'CreateInterfaces')).toMatchObject({
      Action: 'ec2:CreateNetworkInterface',
    });
    expect(statement(plain, 'ServiceRolePolicy', 'CreateInterfaces')).toBeUndefined();
  });

  test('may use the bucket’s key, through S3 only', () => {
    expect(statement(full, 'ServiceRolePolicy', 'BucketKey')).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Resource: EVERYTHING.kmsKeyArn,
      Condition: { StringEquals: { 'kms:ViaService': expect.anything() } },
    });
  });

  test('may invoke the allowed models in every region of a profile, and no others', () => {
    const one = synthesize({ allowedModels: 'us.anthropic.claude-haiku-4-5-20251001-v1:0' });
    const resources = JSON.stringify(statement(one, 'ServiceRolePolicy', 'Models')?.Resource);
    expect(resources).toContain(':bedrock:*::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0');
    expect(resources).toContain(':inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0');
    expect(resources).not.toContain('nova');
  });
});

describe('the functions', () => {
  test('are one for each step, on Node 24, traced, with the source maps switched on', () => {
    plain.template.resourceCountIs('AWS::Lambda::Function', STEP_NAMES.length);
    plain.template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['x86_64'],
      Timeout: 900,
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: Match.objectLike({ NODE_OPTIONS: '--enable-source-maps' }) },
    });
  });

  test('that read rows have memory for DuckDB and all of /tmp, within what a new account has', () => {
    const functions = Object.values(plain.template.findResources('AWS::Lambda::Function'));
    const large = functions.filter(({ Properties }) => Properties.EphemeralStorage.Size === 10_240);
    expect(large).toHaveLength(6);
    for (const { Properties } of large) expect(Properties.MemorySize).toBeGreaterThanOrEqual(2048);
    for (const { Properties } of functions) expect(Properties.MemorySize).toBeLessThanOrEqual(3008);
  });

  test('are called by a version that outlives the next deployment, so that runs under way keep their code', () => {
    const versions = plain.template.findResources('AWS::Lambda::Version');
    expect(Object.keys(versions)).toHaveLength(STEP_NAMES.length);
    for (const version of Object.values(versions)) expect(version.DeletionPolicy).toBe('Retain');
    const [machine] = Object.values(plain.template.findResources('AWS::StepFunctions::StateMachine'));
    for (const step of STEP_NAMES) {
      expect(Object.keys(versions)).toContain(
        machine?.Properties.DefinitionSubstitutions[`${step}Function`].Ref,
      );
    }
    expect(JSON.stringify(statement(plain, 'WorkflowPolicy', 'CallSteps')?.Resource)).toContain(':*');
  });

  test('log to groups that forget after 30 days and go with the stack', () => {
    plain.template.allResources('AWS::Logs::LogGroup', {
      Properties: Match.objectLike({ RetentionInDays: 30 }),
      DeletionPolicy: 'Delete',
    });
    plain.template.resourceCountIs('AWS::Logs::LogGroup', STEP_NAMES.length + 1);
  });

  test('have no managed policy and no wildcard action', () => {
    for (const { Properties } of Object.values(full.template.findResources('AWS::IAM::Role'))) {
      expect(Properties.ManagedPolicyArns).toBeUndefined();
    }
    for (const { Action, Sid } of statementsOf(full, '')) {
      expect([Action].flat().join(), Sid).not.toContain('*');
    }
  });

  test('only Submit may create jobs, and pass only the service role, to Bedrock only', () => {
    expect(statement(plain, 'SubmitPolicy', 'PassServiceRole')).toMatchObject({
      Action: 'iam:PassRole',
      Resource: { 'Fn::GetAtt': [expect.stringContaining('ServiceRole'), 'Arn'] },
      Condition: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
    });
    const creators = STEP_NAMES.filter((step) =>
      statementsOf(plain, `${step.charAt(0).toUpperCase()}${step.slice(1)}Policy`).some(({ Action }) =>
        [Action].flat().includes('bedrock:CreateModelInvocationJob'),
      ),
    );
    expect(creators).toEqual(['submit']);
  });

  test('only Plan reads the Hugging Face token, and it is told where that is', () => {
    const readers = statementsOf(full, '').filter(({ Sid }) => Sid === 'ReadHuggingFaceToken');
    expect(readers).toEqual([
      {
        Sid: 'ReadHuggingFaceToken',
        Effect: 'Allow',
        Action: 'secretsmanager:GetSecretValue',
        Resource: EVERYTHING.huggingFaceTokenSecretArn,
      },
    ]);
    const told = Object.values(full.template.findResources('AWS::Lambda::Function')).filter(
      ({ Properties }) => Properties.Environment.Variables.QUARRY_HUGGING_FACE_SECRET_ARN !== undefined,
    );
    expect(told).toHaveLength(1);
  });

  test('only Plan and Prepare read datasets and the input buckets', () => {
    for (const policy of ['PlanPolicy', 'PreparePolicy']) {
      const resources = JSON.stringify(statement(full, policy, 'ReadDatasets')?.Resource);
      expect(resources).toContain(':s3:::our-input/*');
      expect(resources).toContain(':s3:::their-input/*');
    }
    for (const policy of ['SubmitPolicy', 'CollectPolicy', 'SummarizePolicy', 'DispatchPolicy']) {
      expect(JSON.stringify(statementsOf(full, policy))).not.toContain('their-input');
    }
  });

  test('are told the limits, the network, the key and whose the buckets are', () => {
    const limited = synthesize({ ...EVERYTHING, maxConcurrentJobs: 7, pollSeconds: 120 });
    limited.template.allResourcesProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          QUARRY_MAX_CONCURRENT_JOBS: '7',
          QUARRY_POLL_SECONDS: '120',
          QUARRY_BUCKET_OWNER: { Ref: 'AWS::AccountId' },
          QUARRY_INPUT_BUCKET_OWNERS: 'their-input=444455556666',
          QUARRY_JOB_SUBNET_IDS: 'subnet-0a,subnet-0b',
          QUARRY_OUTPUT_KEY_ARN: EVERYTHING.kmsKeyArn,
        }),
      },
    });
  });
});

describe('the state machine', () => {
  test('is the workflow’s own definition, and its functions come in by substitution', () => {
    const [machine] = Object.values(plain.template.findResources('AWS::StepFunctions::StateMachine'));
    const text: string = machine?.Properties.DefinitionString;
    expect(JSON.parse(text.replaceAll('${partition}', 'aws'))).toEqual(
      JSON.parse(JSON.stringify(definition)),
    );
    expect(Object.keys(machine?.Properties.DefinitionSubstitutions).sort()).toEqual(
      ['partition', ...STEP_NAMES.map((step) => `${step}Function`)].sort(),
    );
    expect(validate(JSON.parse(text.replaceAll('${partition}', 'aws')))).toMatchObject({ isValid: true });
  });

  test.each(['aws', 'aws-us-gov', 'aws-cn'])(
    'calls the services of the partition %s where the stack is in it',
    (partition) => {
      const [machine] = Object.values(plain.template.findResources('AWS::StepFunctions::StateMachine'));
      expect(machine?.Properties.DefinitionSubstitutions.partition).toEqual({ Ref: 'AWS::Partition' });
      const text = String(machine?.Properties.DefinitionString).replaceAll('${partition}', partition);
      const resources = [...text.matchAll(/"Resource":"([^"]+)"/g)].map(([, arn]) => arn ?? '');
      expect(resources.length).toBeGreaterThan(10);
      expect(resources.filter((arn) => !arn.startsWith(`arn:${partition}:states:::`))).toEqual([]);
    },
  );

  test('and nothing else in the template names a partition', () => {
    expect(JSON.stringify(plain.template.toJSON()).match(/arn:aws[\w-]*:/g)).toBeNull();
  });

  test('logs errors without data, and is traced', () => {
    plain.template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
      TracingConfiguration: { Enabled: true },
    });
  });

  test('may call the steps, watch jobs, and start and redrive the children of its Map states', () => {
    expect(statement(plain, 'WorkflowPolicy', 'CallSteps')?.Resource).toHaveLength(STEP_NAMES.length);
    expect(statement(plain, 'WorkflowPolicy', 'WatchJobs')).toMatchObject({
      Action: 'bedrock:GetModelInvocationJob',
    });
    expect(statement(plain, 'WorkflowMapRunPolicy', 'StartChildren')).toMatchObject({
      Action: 'states:StartExecution',
    });
    const children = statement(plain, 'WorkflowMapRunPolicy', 'ManageChildren');
    expect(children?.Action).toEqual([
      'states:DescribeExecution',
      'states:StopExecution',
      'states:RedriveExecution',
    ]);
    expect(JSON.stringify(children?.Resource)).toContain('/RunJobs:*');
  });
});

describe('notifications, alarms and the dashboard', () => {
  test('the end of a run is told to a topic, without the run’s input', () => {
    plain.template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: { status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] },
      },
      Targets: [Match.objectLike({ InputTransformer: Match.anyValue() })],
    });
  });

  test('alarms and the rule may publish to the topic, and nobody from another account', () => {
    const [policy] = Object.values(plain.template.findResources('AWS::SNS::TopicPolicy'));
    const statements: Statement[] = policy?.Properties.PolicyDocument.Statement;
    expect(statements.find(({ Sid }) => Sid === 'AlarmsPublish')).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Action: 'sns:Publish',
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    });
    expect(JSON.stringify(statements)).toContain('events.amazonaws.com');
  });

  test('an e-mail address is subscribed where one was given, and only then', () => {
    full.template.hasResourceProperties('AWS::SNS::Subscription', {
      Protocol: 'email',
      Endpoint: EVERYTHING.email,
    });
    plain.template.resourceCountIs('AWS::SNS::Subscription', 0);
  });

  test('failed runs, rows without an answer and stuck jobs raise an alarm', () => {
    plain.template.resourceCountIs('AWS::CloudWatch::Alarm', 2);
    full.template.resourceCountIs('AWS::CloudWatch::Alarm', 3);
    const [stuck] = Object.values(full.template.findResources('AWS::CloudWatch::Alarm')).filter(
      ({ Properties }) => JSON.stringify(Properties).includes('AWS/Bedrock/Batch'),
    );
    expect(stuck?.Properties.Metrics).toHaveLength(5);
    expect(stuck?.Properties.Metrics[0].Expression).toContain(
      'IF(FILL(pending0, 0) > 0 AND FILL(rate0, 0) == 0, 1, 0)',
    );
    full.template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [Match.objectLike({ Ref: Match.stringLikeRegexp('Topic') })],
      TreatMissingData: 'notBreaching',
    });
  });

  test('the rows of a run are counted from the line that Summarize logs', () => {
    plain.template.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern: '{ $.rows.succeeded = "*" }',
      LogGroupName: { Ref: Match.stringLikeRegexp('SummarizeLog') },
    });
    plain.template.resourceCountIs('AWS::CloudWatch::Dashboard', 1);
  });
});

test('the outputs are all that the command line needs', () => {
  expect(Object.keys(plain.template.toJSON().Outputs).sort()).toEqual([
    'afterDestroy',
    'bucketName',
    'maxConcurrentJobs',
    'maxRecordsPerJob',
    'minRecordsPerJob',
    'notificationTopicArn',
    'prepareConcurrency',
    'quarryVersion',
    'serviceRoleArn',
    'stateMachineArn',
    'stepFunctionName',
  ]);
});

test('nothing in the stack costs money while nothing runs', () => {
  const types = new Set(
    Object.values(full.template.toJSON().Resources).map((r) => (r as { Type: string }).Type),
  );
  const free = new Set([
    'AWS::CDK::Metadata',
    'AWS::CloudWatch::Alarm',
    'AWS::CloudWatch::Dashboard',
    'AWS::Events::Rule',
    'AWS::IAM::Policy',
    'AWS::IAM::Role',
    'AWS::Lambda::Function',
    'AWS::Lambda::Version',
    'AWS::Logs::LogGroup',
    'AWS::Logs::MetricFilter',
    'AWS::S3::Bucket',
    'AWS::S3::BucketPolicy',
    'AWS::SNS::Subscription',
    'AWS::SNS::Topic',
    'AWS::SNS::TopicPolicy',
    'AWS::StepFunctions::StateMachine',
  ]);
  expect([...types].filter((type) => !free.has(type))).toEqual([]);
});

test.each([
  ['as it is', plain],
  ['with everything switched on', full],
])('cdk-nag finds nothing %s, and every exception has its reason', (_, { app, stack }) => {
  const { violations } = new AwsSolutionsChecks(app).validateScope(stack);
  expect(violations.map(({ ruleName }) => ruleName)).toEqual([]);
});
