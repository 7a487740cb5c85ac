import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { SFNClient } from '@aws-sdk/client-sfn';
import { STSClient } from '@aws-sdk/client-sts';
import { openAwsAccount } from '../../bedrock/aws-account.ts';
import { createBedrockClients } from '../../bedrock/aws-bedrock.ts';
import type { BedrockAccount } from '../../bedrock/bedrock-account.ts';
import { callAws } from '../../bedrock/call-aws.ts';
import { createJobControl, type JobControl } from '../../bedrock/job-control.ts';
import type { Clock } from '../../core/clock.ts';
import type { Hash } from '../../core/jobs/job.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { createS3Client } from '../../store/s3-client.ts';
import { createS3Store } from '../../store/s3-store.ts';
import { DEFAULT_STACK_NAME, type Deployment, findDeployment } from './deployment.ts';

/** Which deployment, and whose credentials; what is not given comes from the environment, as with any AWS tool. */
export interface DeployedTargetOptions {
  stackName?: string | undefined;
  region?: string | undefined;
  profile?: string | undefined;
  /** Quarry's own version. */
  version: string;
  clock: Clock;
  /** From 0 to 1; spreads repeated calls. */
  random: () => number;
  hash: Hash;
}

/** The deployed workflow and the clients that reach it. */
export interface DeployedTarget extends AsyncDisposable {
  deployment: Deployment;
  sfn: SFNClient;
  store: ObjectStore;
  jobs: JobControl;
  /** The account that it is deployed in. */
  account: BedrockAccount;
  clock: Clock;
  random: () => number;
  hash: Hash;
}

/** Attempts for one call before it is thrown; following goes on after that. */
const MAX_ATTEMPTS = 4;
/** Milliseconds for a connection to be made. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** Milliseconds of silence after which a call is made again. */
const SOCKET_TIMEOUT_MS = 30_000;

/** What all clients of AWS are made with. */
export function clientOptionsOf({ region, profile }: Pick<DeployedTargetOptions, 'region' | 'profile'>) {
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
  };
}

/** Finds the deployment by its stack, and opens what reaches it. */
export async function openDeployedTarget(options: DeployedTargetOptions): Promise<DeployedTarget> {
  const { stackName = DEFAULT_STACK_NAME, version, clock, random, hash } = options;
  const clientOptions = clientOptionsOf(options);
  await using cleanUp = new AsyncDisposableStack();
  const keep = <T extends { destroy(): void }>(client: T): T => cleanUp.adopt(client, (it) => it.destroy());
  const cloudFormation = keep(new CloudFormationClient(clientOptions));
  const region = await callAws({ doing: 'find the region', action: 'none' }, () =>
    cloudFormation.config.region(),
  );
  const sts = keep(new STSClient(clientOptions));
  const deployment = await findDeployment({ stackName, version, region, cloudFormation, sts });
  const { control, runtime } = createBedrockClients({ ...clientOptions });
  keep(control);
  keep(runtime);
  const sfn = keep(new SFNClient(clientOptions));
  const { requestHandler: _, maxAttempts: __, ...s3Options } = clientOptions;
  const store = createS3Store({
    client: keep(createS3Client(s3Options)),
    scratchDirectory: join(tmpdir(), `quarry-downloads-${process.pid}`),
    bucketOwners: { [deployment.bucket]: deployment.account },
  });
  const opened = cleanUp.move();
  return {
    deployment,
    sfn,
    store,
    jobs: createJobControl(control),
    account: openAwsAccount({
      region,
      ...(options.profile === undefined ? {} : { profile: options.profile }),
    }),
    clock,
    random,
    hash,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
