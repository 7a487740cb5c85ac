import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BedrockClient } from '@aws-sdk/client-bedrock';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { z } from 'zod';
import { createAwsBedrock } from '../../bedrock/aws-bedrock.ts';
import type { Clock } from '../../core/clock.ts';
import { InvalidRunInputError, ServiceUnavailableError } from '../../core/errors.ts';
import type { Hash } from '../../core/job.ts';
import { type BatchQuotas, DEFAULT_BATCH_QUOTAS } from '../../core/quotas.ts';
import type { StageDurations } from '../../emulator/jobs/timing.ts';
import { startEmulator } from '../../emulator/server.ts';
import type { PlanDeps } from '../../steps/deps.ts';
import { createDirectoryStore } from '../../store/directory-store.ts';
import type { EngineTarget } from '../embedded/engine-target.ts';
import { machineHub } from '../embedded/machine-hub.ts';
import { type SharedEmulator, shareEmulator } from './shared-emulator.ts';

/** Bucket of the local target: runs are `<directory>/quarry-local/runs/…`. */
export const LOCAL_BUCKET = 'quarry-local';

/** SHA-256 in hexadecimal. */
export const sha256: Hash = (text) => createHash('sha256').update(text).digest('hex');

/** How a local target is set up. */
export interface LocalTargetOptions {
  /** The store's directory; the emulator's and scratch files are in it too. */
  directory: string;
  clock: Clock;
  version: string;
  quotas?: Partial<BatchQuotas>;
  /** An OpenAI-compatible server that answers instead of the simulated model. */
  modelEndpoint?: string | undefined;
  /** A Bedrock emulator that runs already; without it one is started within this process. */
  emulatorUrl?: string | undefined;
  pollSeconds?: number;
  /** How long jobs take, by the clock. */
  durations?: Partial<StageDurations>;
}

/** What Plan needs on this machine; nothing is started, and nothing is written but scratch files. */
export function localPlanDeps({
  directory,
  clock,
  version,
  quotas,
}: Pick<LocalTargetOptions, 'directory' | 'clock' | 'version' | 'quotas'>): PlanDeps {
  return {
    store: createDirectoryStore(directory),
    clock,
    hash: sha256,
    scratchDirectory: join(directory, '.scratch'),
    hub: machineHub(),
    settings: {
      bucket: LOCAL_BUCKET,
      roleArn: 'arn:aws:iam::123456789012:role/quarry-local',
      quotas: { ...DEFAULT_BATCH_QUOTAS, ...quotas },
      pollSeconds: 1,
      prepareConcurrency: 1,
      rowsPerSlice: 200_000,
      simulated: true,
      billed: false,
      version,
    },
  };
}

/** Sets the local target up: the directory store, and the emulator behind the real AWS SDK. */
export async function openLocalTarget(options: LocalTargetOptions): Promise<EngineTarget> {
  const { directory, clock, modelEndpoint } = options;
  const planDeps = localPlanDeps(options);
  const { store, settings } = planDeps;
  const { quotas } = settings;
  const stateDirectory = join(directory, '.emulator');
  const emulator: SharedEmulator =
    options.emulatorUrl === undefined
      ? await shareEmulator(createDirectoryStore(stateDirectory), () =>
          startEmulator({
            store,
            stateDirectory,
            clock,
            quotas: { default: quotas },
            ...(options.durations === undefined ? {} : { durations: options.durations }),
            ...(modelEndpoint === undefined ? {} : { modelEndpoint }),
          }),
        )
      : runningEmulator(options.emulatorUrl);
  const simulated = await isSimulated(emulator.url());
  if (simulated && modelEndpoint !== undefined) {
    await emulator[Symbol.asyncDispose]();
    throw new InvalidRunInputError(
      `The emulator of ${options.emulatorUrl ?? `another process on ${directory}`} answers with the simulated model, not from ${modelEndpoint}. Wait for that process to end, or use another --dir.`,
    );
  }
  const clientOptions = {
    // Asked for at each call: the emulator moves when the process that runs it ends.
    endpoint: async () => parseUrl(emulator.url()),
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const control = new BedrockClient(clientOptions);
  const runtime = new BedrockRuntimeClient(clientOptions);
  return {
    store,
    control,
    deps: {
      ...planDeps,
      bedrock: createAwsBedrock({ control, runtime }),
      settings: {
        ...settings,
        pollSeconds: options.pollSeconds ?? settings.pollSeconds,
        simulated,
      },
    },
    [Symbol.asyncDispose]: async () => {
      control.destroy();
      runtime.destroy();
      await emulator[Symbol.asyncDispose]();
    },
  };
}

function runningEmulator(url: string): SharedEmulator {
  return { url: () => url, [Symbol.asyncDispose]: async () => {} };
}

function parseUrl(url: string) {
  const { protocol, hostname, port } = new URL(url);
  return { protocol, hostname, port: Number(port), path: '/' };
}

/** Whether the answers of the emulator at `url` are a simulated model's. */
async function isSimulated(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/_emulator`);
    return z.object({ simulated: z.boolean() }).parse(await response.json()).simulated;
  } catch (error) {
    throw new ServiceUnavailableError(`There is no Bedrock emulator at ${url}. Start one: quarry emulate`, {
      cause: error,
    });
  }
}
