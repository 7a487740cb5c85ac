import { Stack } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { StepName } from '../src/workflow/definition.ts';
import type { Grant } from './grant.ts';
import { inputKeyGrants, keyGrants } from './key-grants.ts';

/** What the steps' functions work on. */
export interface StepGrantsOptions {
  bucket: Bucket;
  /** ARNs of the other buckets that datasets may be in. */
  inputBucketArns: readonly string[];
  modelArns: readonly string[];
  serviceRoleArn: string;
  encryptionKey: IKey | undefined;
  huggingFaceToken: ISecret | undefined;
  /** ARNs of the keys of input buckets and of the token. */
  inputKeyArns: readonly string[];
}

/** What each step may do, and why. */
export function stepGrants(scope: Construct, options: StepGrantsOptions): Record<StepName, Grant[]> {
  const files = fileGrants(options.bucket);
  const jobs = jobGrants(scope, options);
  const datasets = datasetGrants(scope, options);
  const key = keyGrants(options.encryptionKey, ['kms:Decrypt', 'kms:GenerateDataKey']);
  const { list, read, readAll, write, abortUploads } = files;
  return {
    plan: [
      list,
      ...datasets.read,
      ...datasets.token,
      ...datasets.keys,
      ...planGrants(files),
      jobs.quotas,
      jobs.profiles,
      ...key,
    ],
    prepare: [
      list,
      ...datasets.read,
      ...datasets.keys,
      write('working/*/parts/*', 'working/*/slices/*'),
      abortUploads('working/*/parts/*'),
      ...key,
    ],
    dispatch: [list, readAll, write('runs/*/waves/*', 'runs/*/stop.json'), ...key],
    repack: [
      list,
      readAll,
      write('working/*/parts/*', 'runs/*/faults/*'),
      abortUploads('working/*/parts/*'),
      ...key,
    ],
    submit: [list, read('runs/*'), write('runs/*/jobs/*'), ...jobs.create, jobs.find, jobs.passRole, ...key],
    runOnDemand: [list, readAll, write('working/*/model-output/*'), jobs.invokeModels, ...key],
    collect: [list, readAll, ...collectGrants(files), jobs.read, jobs.find, ...key],
    merge: [
      list,
      readAll,
      write('runs/*/output/*', 'runs/*/variants/*', 'runs/*/merged/*', 'runs/*/joined/*', 'answers/*'),
      abortUploads('runs/*/output/*', 'runs/*/variants/*', 'answers/*'),
      ...key,
    ],
    summarize: [list, read('runs/*'), write('runs/*/summary.json', 'runs/*/report.html'), ...key],
  };
}

type FileGrants = ReturnType<typeof fileGrants>;

/** What may be done with the files of runs; keys are patterns. */
function fileGrants(bucket: Bucket) {
  const objects = (keys: readonly string[]) => keys.map((key) => bucket.arnForObjects(key));
  const list: Grant = {
    sid: 'ListBucket',
    actions: ['s3:ListBucket'],
    resources: [bucket.bucketArn],
    reason: 'Without it S3 says 403 for an object that is not there yet.',
  };
  const read = (...keys: string[]): Grant => ({
    sid: 'ReadRuns',
    actions: ['s3:GetObject'],
    resources: objects(keys),
    reason: 'The files of any run; which runs there will be is not known.',
  });
  const write = (...keys: string[]): Grant => ({
    sid: 'WriteRuns',
    actions: ['s3:PutObject'],
    resources: objects(keys),
    reason: 'The step’s own files of any run, and no others.',
  });
  const abortUploads = (...keys: string[]): Grant => ({
    sid: 'AbortUploads',
    actions: ['s3:AbortMultipartUpload'],
    resources: objects(keys),
    reason: 'A large file that could not go up whole is taken back.',
  });
  const reopen = (...keys: string[]): Grant => ({
    sid: 'ReopenRuns',
    actions: ['s3:DeleteObject'],
    resources: objects(keys),
    reason: 'A run that was stopped goes on when it is started again.',
  });
  return { list, read, readAll: read('runs/*', 'working/*'), write, abortUploads, reopen };
}

function planGrants({ write, abortUploads, reopen }: FileGrants): Grant[] {
  return [
    write(
      'runs/*/plan.json',
      'runs/*/slices.json',
      'runs/*/slices/*',
      'runs/*/resumed.json',
      'working/*/duplicates.parquet',
      'working/*/laid/*',
      'working/*/planned/*',
      'datasets/hf/*',
    ),
    abortUploads('working/*/duplicates.parquet', 'working/*/laid/*', 'datasets/hf/*'),
    reopen('runs/*/stop.json', 'runs/*/summary.json'),
  ];
}

function collectGrants({ write, abortUploads }: FileGrants): Grant[] {
  return [
    write(
      'runs/*/output/*',
      'runs/*/variants/*',
      'working/*/results/*',
      'runs/*/ledger/*',
      'runs/*/faults/*',
      'runs/*/stop.json',
      'answers/*',
    ),
    abortUploads('runs/*/output/*', 'runs/*/variants/*', 'working/*/results/*', 'answers/*'),
  ];
}

/** Reading datasets wherever they may be: in the data bucket, in the input buckets, on the Hub. */
function datasetGrants(scope: Construct, options: StepGrantsOptions) {
  const { bucket, inputBucketArns, huggingFaceToken, inputKeyArns } = options;
  const read: Grant = {
    sid: 'ReadDatasets',
    actions: ['s3:GetObject'],
    resources: [bucket.arnForObjects('*'), ...inputBucketArns.map((arn) => `${arn}/*`)],
    reason: 'A dataset may be anywhere in the data bucket and in the input buckets.',
  };
  const listInputs: Grant = {
    sid: 'ListInputBuckets',
    actions: ['s3:ListBucket'],
    resources: inputBucketArns,
    reason: 'A dataset may be a prefix of many files.',
  };
  const token = (secret: ISecret): Grant => ({
    sid: 'ReadHuggingFaceToken',
    actions: ['secretsmanager:GetSecretValue'],
    resources: [secret.secretArn],
    reason: 'The one secret, for gated datasets.',
  });
  return {
    read: inputBucketArns.length === 0 ? [read] : [read, listInputs],
    token: huggingFaceToken === undefined ? [] : [token(huggingFaceToken)],
    keys: inputKeyGrants(scope, inputKeyArns),
  };
}

/** What may be asked of Bedrock. */
function jobGrants(scope: Construct, { modelArns, serviceRoleArn }: StepGrantsOptions) {
  const { partition, region, account } = Stack.of(scope);
  const jobs = `arn:${partition}:bedrock:${region}:${account}:model-invocation-job/*`;
  const create: Grant[] = [
    {
      sid: 'CreateJobs',
      actions: ['bedrock:CreateModelInvocationJob'],
      resources: [...modelArns, jobs],
      reason: 'Jobs of the allowed models; a job’s id is not known before it exists.',
    },
    {
      sid: 'TagJobs',
      actions: ['bedrock:TagResource'],
      resources: [jobs],
      reason: 'A job is tagged as it is created; its id is not known before.',
    },
  ];
  const find: Grant = {
    sid: 'FindJobs',
    actions: ['bedrock:ListModelInvocationJobs'],
    resources: ['*'],
    reason: 'The list knows no resources; it finds a job whose creation was never answered.',
  };
  const read: Grant = {
    sid: 'ReadJobs',
    actions: ['bedrock:GetModelInvocationJob'],
    resources: [jobs],
    reason: 'How a job ended; its id is not known before it exists.',
  };
  const passRole: Grant = {
    sid: 'PassServiceRole',
    actions: ['iam:PassRole'],
    resources: [serviceRoleArn],
    conditions: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
    reason: 'The one role that Bedrock assumes for the jobs.',
  };
  const quotas: Grant = {
    sid: 'ReadQuotas',
    actions: ['servicequotas:ListServiceQuotas'],
    resources: ['*'],
    reason: 'The list knows no resources; runs are packed by the account’s own quotas.',
  };
  const profiles: Grant = {
    sid: 'LookAtProfiles',
    actions: ['bedrock:GetInferenceProfile'],
    resources: [`arn:${partition}:bedrock:${region}:${account}:application-inference-profile/*`],
    reason: 'What an application inference profile is of; which there will be is not known.',
  };
  const invokeModels: Grant = {
    sid: 'InvokeModels',
    actions: ['bedrock:InvokeModel'],
    resources: modelArns,
    reason: 'The allowed models, in every region that a cross-region profile may use.',
  };
  return { create, find, read, passRole, quotas, profiles, invokeModels };
}
