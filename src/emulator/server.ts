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
import {
  DEFAULT_DURATIONS,
  DEFAULT_STAGING,
  type OutputStaging,
  type StageDurations,
} from './jobs/timing.ts';
import { createAnswerer } from './models/answerer.ts';
import { type KeyedModelServer, type ModelServer, modelServerOf } from './models/model-server.ts';
import { createModelServers } from './models/model-servers.ts';
import { type EmulatorUsage, openUsageBook } from './models/usage.ts';
import type { Notify } from './notices.ts';

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
  /** An OpenAI-compatible server that answers in place of the simulated model, where a request does not name another one. */
  modelServer?: ModelServerOptions;
  /** Keeps the id of each answered record, so that usage can tell what was answered twice. @default false */
  trackRecords?: boolean;
  /** Base model id of each application inference profile, by the profile's id. */
  applicationProfiles?: Readonly<Record<string, string>>;
  /** Is told what no client asks for: a damaged file, a job that cannot go on. */
  onNotice?: Notify;
}

/** A model server: its URL (`http://…/v1`), and what else it needs. */
export type ModelServerOptions = Pick<ModelServer, 'url'> &
  Partial<ModelServer> &
  Pick<KeyedModelServer, 'apiKey'>;

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
const INTERFACE_VERSION = 2;
/** Jobs that wait for model servers side by side. */
const SERVED_AT_ONCE = 4;

/** Starts an emulator of Bedrock's batch inference on 127.0.0.1. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const context = await openContext(options);
  const { book, servers, seed, stateDirectory, trackRecords, notify, defaultServer } = context;
  const usage = await openUsageBook(stateDirectory, { book, trackRecords, notify });
  const runner = createJobRunner(context);
  const route = createRouter({
    control: createControlPlane(context, runner),
    runtime: createRuntimePlane(context, usage),
    describe: (server) => describe(server, seed),
    usage: usage.report,
    seed,
    servers,
    defaultServer,
  });
  const listener = await listen(options.port ?? 0, route);
  for (const job of book.all()) runner.start(job);
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

async function openContext(options: EmulatorOptions): Promise<EmulatorContext> {
  const { store, stateDirectory, clock, seed = 1, trackRecords = false, onNotice } = options;
  const notify: Notify = onNotice ?? (() => {});
  await mkdir(stateDirectory, { recursive: true });
  const servers = createModelServers(process.env);
  const rules = readFaultScript(options.faults ?? []);
  return {
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
    faults: await openFaultInjector(join(stateDirectory, 'faults.json'), { rules, seed, notify }),
    answerer: createAnswerer(servers),
    servers,
    defaultServer: options.modelServer === undefined ? undefined : adopt(options.modelServer, servers),
    book: await openJobBook(join(stateDirectory, 'jobs'), notify),
    notify,
    inTurn: createTurns(),
  };
}

function adopt({ apiKey, ...given }: ModelServerOptions, servers: EmulatorContext['servers']): ModelServer {
  const server = modelServerOf(given);
  servers.learn({ server, ...(apiKey === undefined ? {} : { apiKey }) });
  return server;
}

/** One job at a time for the simulated model: memory stays that of one window. Model servers are waited for. */
function createTurns(): EmulatorContext['inTurn'] {
  const simulated = pLimit(1);
  const served = pLimit(SERVED_AT_ONCE);
  return (server, work) => (server === undefined ? simulated : served)(work);
}

function describe(server: ModelServer | undefined, seed: number): object {
  return {
    version: INTERFACE_VERSION,
    simulated: server === undefined,
    seed,
    model_server: server === undefined ? null : { url: server.url, model: server.model },
  };
}
