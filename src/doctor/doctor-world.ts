import { BedrockClient } from '@aws-sdk/client-bedrock';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import type { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { callAws } from '../bedrock/call-aws.ts';
import type { Clock } from '../core/clock.ts';
import { type BatchQuotas, DEFAULT_BATCH_QUOTAS } from '../core/jobs/quotas.ts';
import { createS3Client } from '../store/s3-client.ts';
import { type Deployment, findDeployment } from '../targets/aws/deployment.ts';
import { UnmetNeed } from './check.ts';

/** What is examined. */
export interface DoctorOptions {
  target: 'local' | 'bedrock' | 'aws';
  stackName: string;
  /** Where there is no stack that names them. */
  bucket?: string | undefined;
  roleArn?: string | undefined;
  modelId?: string | undefined;
  region?: string | undefined;
  profile?: string | undefined;
  /** Quarry's own version. */
  version: string;
  clock: Clock;
  fetch: typeof fetch;
  /** Variables of the environment. */
  environment: Readonly<Record<string, string | undefined>>;
}

/** Whose credentials they are. */
export interface Identity {
  account: string;
  /** `aws`, `aws-us-gov`, `aws-cn`. */
  partition: string;
  arn: string;
  expiresAt: Date | undefined;
}

/** What runs use: of the stack, or as it was given. */
export interface Place {
  bucket: string | undefined;
  /** Account that the bucket must belong to. */
  owner: string;
  roleArn: string | undefined;
  limits: Pick<BatchQuotas, 'minRecordsPerJob' | 'maxRecordsPerJob' | 'maxConcurrentJobs'> & {
    prepareConcurrency?: number;
  };
}

/** AWS as the checks see it. What several of them need is asked for once. */
export interface DoctorWorld extends Disposable {
  options: DoctorOptions;
  sts: STSClient;
  iam: IAMClient;
  s3: S3Client;
  bedrock: BedrockClient;
  serviceQuotas: ServiceQuotasClient;
  /** Rejects where none is set. */
  region(): Promise<string>;
  identity(): Promise<Identity>;
  /** The same, for a check that is about something else: rejects with UnmetNeed. */
  signedIn(): Promise<Identity>;
  deployment(): Promise<Deployment>;
  place(): Promise<Place>;
}

/** Attempts for one call: a check has little time. */
const MAX_ATTEMPTS = 2;
/** Milliseconds for a connection to be made. */
const CONNECTION_TIMEOUT_MS = 3_000;
/** Milliseconds of silence after which a call is given up. */
const SOCKET_TIMEOUT_MS = 8_000;

/** Opens the world. Nothing is asked for yet. */
export function openDoctorWorld(options: DoctorOptions): DoctorWorld {
  const { region, profile, stackName, version, target } = options;
  const clientOptions = {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
  };
  const cleanUp = new DisposableStack();
  const keep = <T extends { destroy(): void }>(client: T): T => cleanUp.adopt(client, (it) => it.destroy());
  const sts = keep(new STSClient(clientOptions));
  const cloudFormation = keep(new CloudFormationClient(clientOptions));

  const findRegion = once(() =>
    callAws({ doing: 'find the region', action: 'none' }, () => sts.config.region()),
  );
  const identity = once(async (): Promise<Identity> => {
    await orUnmet('a region', findRegion());
    const { Account = '', Arn = '' } = await callAws(
      { doing: 'ask who we are', action: 'sts:GetCallerIdentity' },
      () => sts.send(new GetCallerIdentityCommand()),
    );
    return {
      account: Account,
      partition: Arn.split(':')[1] ?? 'aws',
      arn: Arn,
      expiresAt: (await sts.config.credentials()).expiration,
    };
  });
  const signedIn = () => orUnmet('credentials', identity());
  const deployment = once(async () => {
    await signedIn();
    return findDeployment({ stackName, version, region: await findRegion(), cloudFormation, sts });
  });
  const place = once(async (): Promise<Place> => {
    const { account } = await signedIn();
    if (target !== 'aws') {
      const { bucket, roleArn } = options;
      return { bucket, roleArn, owner: roleArn?.split(':')[4] ?? account, limits: DEFAULT_BATCH_QUOTAS };
    }
    const found = await orUnmet('the stack', deployment());
    return {
      bucket: found.bucket,
      roleArn: found.serviceRoleArn,
      owner: found.account,
      limits: { ...DEFAULT_BATCH_QUOTAS, ...found.limits },
    };
  });
  return {
    options,
    sts,
    iam: keep(new IAMClient(clientOptions)),
    s3: keep(createS3Client({ ...clientOptions, retryMode: 'standard' })),
    bedrock: keep(new BedrockClient(clientOptions)),
    serviceQuotas: keep(new ServiceQuotasClient(clientOptions)),
    region: findRegion,
    identity,
    signedIn,
    deployment,
    place,
    [Symbol.dispose]: () => cleanUp.dispose(),
  };
}

/** What another check is about, whose own failure it tells. */
async function orUnmet<T>(what: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof UnmetNeed) throw error;
    throw new UnmetNeed(`Not checked: it needs ${what}.`, { cause: error });
  }
}

/** Asks once, whoever wants to know. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
