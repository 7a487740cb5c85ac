import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/server.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { openBedrockTarget } from '../../src/targets/bedrock/bedrock-target.ts';
import type { EngineTarget } from '../../src/targets/embedded/engine-target.ts';
import { startAwsDouble } from './aws-double.ts';
import { type BedrockProxy, startBedrockProxy } from './bedrock-proxy.ts';
import { type S3Double, startS3Double } from './s3-double.ts';
import { temporaryDirectory } from './temporary-directory.ts';

export const BUCKET = 'my-bucket';
export const ACCOUNT = '111122223333';
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/bedrock-batch`;
const REGION = 'us-west-2';

/** An account: S3 by a double, Bedrock by the emulator, each over HTTP where the AWS SDK is told to look for it. */
export interface BedrockWorld {
  s3: S3Double;
  /** The objects, as Bedrock sees them. */
  store: ObjectStore;
  emulator: Emulator;
  /** Before Bedrock's control plane. */
  proxy: BedrockProxy;
  /** What Service Quotas has, by the quota’s name; nothing unless the test says so. */
  quotas: Record<string, number>;
  directory: string;
  /** The folder of `--dir`. */
  dir: string;
  /** Environment in which every AWS SDK finds this account, and no other. */
  env: Record<string, string>;
  /** Options of a run there. */
  flags: string[];
  /** A dataset of so many rows `{ n: 0 }`, …; its path. */
  writeRows(rows: number, name?: string): Promise<string>;
}

/** Opens an account for a test; the test's own process is in it too. */
export async function openBedrockWorld(
  options: Partial<Pick<EmulatorOptions, 'faults' | 'durations' | 'clock' | 'applicationProfiles'>> = {},
): Promise<BedrockWorld> {
  const directory = await temporaryDirectory();
  const s3 = await startS3Double();
  onTestFinished(() => s3[Symbol.asyncDispose]());
  const store = createS3Store({
    client: createS3Client({
      endpoint: s3.url,
      region: REGION,
      credentials: { accessKeyId: 'bedrock', secretAccessKey: 'bedrock' },
    }),
    scratchDirectory: join(directory, 'bedrock'),
  });
  const emulator = await startEmulator({
    store,
    stateDirectory: join(directory, 'emulator'),
    clock: systemClock,
    accountId: ACCOUNT,
    region: REGION,
    trackRecords: true,
    ...options,
    durations: {
      submittedMs: 20,
      validatingMs: 20,
      scheduledMs: 20,
      inProgressMs: 50,
      inProgressMsPerRecord: 0,
      stoppingMs: 20,
      ...options.durations,
    },
  });
  onTestFinished(() => emulator.close());
  const proxy = await startBedrockProxy(emulator.url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const quotas: Record<string, number> = {};
  const serviceQuotas = await startAwsDouble({
    ListServiceQuotas: () => ({
      body: {
        Quotas: Object.entries(quotas).map(([QuotaName, Value]) => ({
          QuotaName,
          Value,
          ServiceCode: 'bedrock',
        })),
      },
    }),
  });
  onTestFinished(() => serviceQuotas[Symbol.asyncDispose]());
  const env = {
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_ENDPOINT_URL_SERVICE_QUOTAS: serviceQuotas.url,
    AWS_ENDPOINT_URL_BEDROCK: proxy.url,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: emulator.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(directory, 'no-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'no-credentials'),
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const dir = join(directory, 'store');
  await mkdir(dir);
  return {
    s3,
    store,
    emulator,
    proxy,
    quotas,
    directory,
    dir,
    env,
    flags: [
      ...['--target', 'bedrock', '--bucket', BUCKET, '--role-arn', ROLE, '--poll-seconds', '1'],
      ...['--model-id', 'us.amazon.nova-lite-v1:0', '--prompt-template', 'Say {n}', '--dir', dir],
    ],
    writeRows: async (rows, name = 'rows.csv') => {
      const path = join(directory, name);
      await writeFile(path, `n\n${Array.from({ length: rows }, (_, index) => `${index}\n`).join('')}`);
      return path;
    },
  };
}

/** The bedrock target of this account, as the command line opens it. */
export function openWorldTarget({ dir }: Pick<BedrockWorld, 'dir'>, clock: Clock): EngineTarget {
  return openBedrockTarget({
    directory: dir,
    bucket: BUCKET,
    bucketOwner: ACCOUNT,
    region: REGION,
    profile: undefined,
    roleArn: ROLE,
    pollSeconds: 60,
    clock,
    version: '0.0.0',
  });
}
