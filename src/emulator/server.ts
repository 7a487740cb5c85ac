import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Clock } from '../core/clock.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { EmulatorContext, OverQuotaMode } from './emulator-context.ts';
import { openFaultInjector } from './faults/fault-injector.ts';
import { type FaultScript, readFaultScript } from './faults/faults.ts';
import { createControlPlane } from './http/control-plane.ts';
import { listen } from './http/http-listener.ts';
import { createRouter } from './http/router.ts';
import { createRuntimePlane } from './http/runtime-plane.ts';
import { openJobBook } from './jobs/job-book.ts';
import { createJobRunner } from './jobs/job-runner.ts';
import type { QuotaOptions } from './jobs/quotas.ts';
import { isTerminal } from './jobs/stored-job.ts';
import {
  DEFAULT_DURATIONS,
  DEFAULT_STAGING,
  type OutputStaging,
  type StageDurations,
} from './jobs/timing.ts';
import { createAnswerer } from './models/answerer.ts';
import { createModelEndpoint } from './models/model-endpoint.ts';
import { type EmulatorUsage, openUsageBook } from './models/usage.ts';

/** How an emulator behaves; everything but the first three has a default. */
export interface EmulatorOptions {
  /** Where the objects of `s3://` URIs are. */
  store: ObjectStore;
  /** Jobs are kept here: an emulator that is started again goes on with them. */
  stateDirectory: string;
  clock: Clock;
  /** Of shuffling, ids and fractions of faults. @default 1 */
  seed?: number;
  /** @default 0, any free port */
  port?: number;
  accountId?: string;
  region?: string;
  durations?: Partial<StageDurations>;
  staging?: Partial<OutputStaging>;
  quotas?: QuotaOptions;
  /** @default 'reject-quota' */
  overQuota?: OverQuotaMode;
  faults?: FaultScript;
  /** An OpenAI-compatible server (`http://…/v1`) that answers in place of the simulated model. */
  modelEndpoint?: string;
  /** That server's name of the model. @default the base model id */
  modelEndpointModel?: string;
  /** Keeps the id of each answered record, so that usage can tell what was answered twice. @default false */
  trackRecords?: boolean;
  /** Base model id of each application inference profile, by the profile's id. */
  applicationProfiles?: Readonly<Record<string, string>>;
}

/** A running emulator. */
export interface Emulator {
  /** `http://127.0.0.1:port`, for the `endpoint` of any AWS SDK. */
  url: string;
  port: number;
  /** What was answered up to now. */
  usage(): Promise<EmulatorUsage>;
  /** Stops serving, and leaves every job where it is. */
  close(): Promise<void>;
}

/** Of the emulator's own paths, `/_emulator…`. */
const INTERFACE_VERSION = 1;

/** Starts an emulator of Bedrock's batch inference on 127.0.0.1. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const {
    store,
    stateDirectory,
    clock,
    seed = 1,
    modelEndpoint,
    modelEndpointModel,
    trackRecords = false,
  } = options;
  await mkdir(stateDirectory, { recursive: true });
  const book = await openJobBook(join(stateDirectory, 'jobs'));
  const rules = readFaultScript(options.faults ?? []);
  const context: EmulatorContext = {
    store,
    stateDirectory,
    clock,
    seed,
    account: {
      accountId: options.accountId ?? '000000000000',
      region: options.region ?? 'us-east-1',
      applicationProfiles: options.applicationProfiles ?? {},
    },
    durations: { ...DEFAULT_DURATIONS, ...options.durations },
    staging: { ...DEFAULT_STAGING, ...options.staging },
    quotas: options.quotas ?? {},
    overQuota: options.overQuota ?? 'reject-quota',
    trackRecords,
    faults: await openFaultInjector(join(stateDirectory, 'faults.json'), { rules, seed }),
    answerer: createAnswerer(
      modelEndpoint === undefined
        ? undefined
        : createModelEndpoint({ url: modelEndpoint, modelName: modelEndpointModel }),
    ),
    book,
    // One at a time: memory stays that of one window. Model servers are waited for, so jobs may wait side by side.
    inTurn: pLimit(modelEndpoint === undefined ? 1 : 4),
  };
  const usage = await openUsageBook(stateDirectory, { book, trackRecords });
  const runner = createJobRunner(context);
  const route = createRouter({
    control: createControlPlane(context, runner),
    runtime: createRuntimePlane(context, usage),
    describe: () => ({ version: INTERFACE_VERSION, simulated: context.answerer.isSimulated, seed }),
    usage: usage.report,
    seed,
  });

  const listener = await listen(options.port ?? 0, route);
  for (const job of book.all()) if (!isTerminal(job.status)) runner.start(job);

  return {
    url: `http://127.0.0.1:${listener.port}`,
    port: listener.port,
    usage: usage.report,
    close: async () => {
      await listener.close();
      await runner.close();
    },
  };
}
