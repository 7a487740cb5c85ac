import { join } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { openAwsAccount } from '../../bedrock/aws-account.ts';
import { createAwsBedrock, createBedrockClients } from '../../bedrock/aws-bedrock.ts';
import { createTokenCounter } from '../../bedrock/count-tokens.ts';
import type { Clock } from '../../core/clock.ts';
import { type BatchQuotas, DEFAULT_BATCH_QUOTAS } from '../../core/jobs/quotas.ts';
import { loadTokenizer } from '../../models/tokenizer.ts';
import type { PlanDeps } from '../../steps/deps.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { createS3Client } from '../../store/s3-client.ts';
import { createS3Store } from '../../store/s3-store.ts';
import type { EngineTarget } from '../embedded/engine-target.ts';
import { machineHub } from '../embedded/machine-hub.ts';
import { sha256 } from '../local/local-target.ts';

/** Who calls AWS, and where. */
export interface AwsAccess {
  region: string;
  /** Of the AWS configuration files; undefined = the environment decides, as for any AWS tool. */
  profile: string | undefined;
}

/** How S3 is reached for the runs of a bucket. */
export interface BucketOptions extends AwsAccess {
  /** Folder for scratch files. */
  directory: string;
  bucket: string;
  /** Account that the bucket must belong to; undefined = not checked. */
  bucketOwner: string | undefined;
}

/** How a target on real S3 and Bedrock is set up. */
export interface BedrockTargetOptions extends BucketOptions {
  clock: Clock;
  version: string;
  /** Service role that Bedrock assumes for the jobs. */
  roleArn: string;
  pollSeconds: number;
  quotas?: Partial<BatchQuotas>;
  /** Who says so. @default 'told' */
  quotaSource?: 'told' | 'stack';
}

/** A bucket's objects, and the client behind them. */
export interface RunBucket extends Disposable {
  store: ObjectStore;
  client: S3Client;
}

/** Rows that one Prepare takes at most: what this machine's disk and memory take at once. */
const ROWS_PER_SLICE = 200_000;

/** Opens a bucket; nothing is asked of it yet. */
export function openRunBucket(options: BucketOptions): RunBucket {
  const { region, profile, directory, bucket, bucketOwner } = options;
  const client = createS3Client({ region, ...(profile === undefined ? {} : { profile }) });
  return {
    client,
    store: createS3Store({
      client,
      scratchDirectory: join(directory, '.scratch', 's3'),
      bucketOwners: bucketOwner === undefined ? {} : { [bucket]: bucketOwner },
    }),
    [Symbol.dispose]: () => client.destroy(),
  };
}

/** What Plan needs to plan a run in that bucket. */
export function bedrockPlanDeps(
  store: ObjectStore,
  {
    directory,
    bucket,
    region,
    profile,
    roleArn,
    quotas = {},
    quotaSource = 'told',
    pollSeconds,
    clock,
    version,
  }: BedrockTargetOptions,
): PlanDeps {
  return {
    store,
    clock,
    hash: sha256,
    scratchDirectory: join(directory, '.scratch'),
    hub: machineHub(),
    account: openAwsAccount({ region, ...(profile === undefined ? {} : { profile }) }),
    countTokens: createTokenCounter({ region, ...(profile === undefined ? {} : { profile }) }),
    tokenizer: loadTokenizer,
    settings: {
      bucket,
      roleArn,
      quotas: { ...DEFAULT_BATCH_QUOTAS, ...quotas },
      quotaSources: Object.fromEntries(Object.keys(quotas).map((key) => [key, quotaSource])),
      pollSeconds,
      // One machine: a Prepare uses all of it.
      prepareConcurrency: 1,
      rowsPerSlice: ROWS_PER_SLICE,
      region,
      simulated: false,
      ...foreignEndpoint(process.env),
      billed: true,
      version,
    },
  };
}

/** Variables that give Bedrock another address, the first that is there. https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
const ENDPOINT_VARIABLES = [
  'AWS_ENDPOINT_URL_BEDROCK_RUNTIME',
  'AWS_ENDPOINT_URL_BEDROCK',
  'AWS_ENDPOINT_URL',
];
/** Hosts of AWS, those of interface endpoints included. */
const AWS_HOST = /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/;

/** Where Bedrock is asked by the environment, unless that is AWS itself. */
export function foreignEndpoint(environment: NodeJS.ProcessEnv): { bedrockEndpoint?: string } {
  const address = ENDPOINT_VARIABLES.flatMap((name) => environment[name] || [])[0];
  if (address === undefined || AWS_HOST.test(URL.parse(address)?.hostname ?? '')) return {};
  return { bedrockEndpoint: address };
}

/** Sets the target up: the embedded engine on this machine, the objects in S3, the jobs at Bedrock. */
export function openBedrockTarget(options: BedrockTargetOptions): EngineTarget {
  const { region, profile, bucketOwner, roleArn } = options;
  const bucket = openRunBucket(options);
  const clients = createBedrockClients({ region, ...(profile === undefined ? {} : { profile }) });
  const isForeign = bucketOwner !== undefined && bucketOwner !== accountOf(roleArn);
  return {
    store: bucket.store,
    control: clients.control,
    deps: {
      ...bedrockPlanDeps(bucket.store, options),
      bedrock: createAwsBedrock(clients, isForeign ? { bucketOwner } : {}),
    },
    [Symbol.asyncDispose]: async () => {
      clients.control.destroy();
      clients.runtime.destroy();
      bucket[Symbol.dispose]();
    },
  };
}

/** Account id in an ARN. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}
