import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BedrockClient } from '@aws-sdk/client-bedrock';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { type BedrockClients, createAwsBedrock } from '../../bedrock/aws-bedrock.ts';
import type { Clock } from '../../core/clock.ts';
import { ServiceUnavailableError } from '../../core/errors.ts';
import type { Hash } from '../../core/jobs/job.ts';
import { type BatchQuotas, DEFAULT_BATCH_QUOTAS } from '../../core/jobs/quotas.ts';
import type { AnsweringServer } from '../../core/plan/run-plan.ts';
import type { StageDurations } from '../../emulator/jobs/timing.ts';
import {
  encodeModelServer,
  type KeyedModelServer,
  MODEL_SERVER_HEADER,
} from '../../emulator/models/model-server.ts';
import type { EmulatorNotice } from '../../emulator/notices.ts';
import { startEmulator } from '../../emulator/server.ts';
import { loadTokenizer } from '../../models/tokenizer.ts';
import type { PlanDeps, StepSettings } from '../../steps/deps.ts';
import { createDirectoryStore } from '../../store/directory-store.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import type { EngineTarget } from '../embedded/engine-target.ts';
import { machineHub } from '../embedded/machine-hub.ts';
import { createNoticeBoard, type NoticeBoard, type TargetNotice } from '../embedded/notice-board.ts';
import { whoAnswers } from './answering-server.ts';
import { requireModelServer } from './model-endpoint.ts';
import { type SharedEmulator, servingUrl, shareEmulator } from './shared-emulator.ts';

/** Bucket of the local target: runs are `<directory>/quarry-local/runs/…`. */
export const LOCAL_BUCKET = 'quarry-local';

/** Milliseconds that the emulator's control plane has for an answer. */
const CONTROL_DEADLINE_MS = 30_000;

/** The same for an answer of the simulated model, which is there at once; and for one of a server whose own limit is not known. */
const ANSWER_DEADLINES_MS = { simulated: 60_000, served: 900_000 };

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
  modelServer?: KeyedModelServer | undefined;
  /** The model that it will be asked for: it has to give one token of it before anything is opened. */
  asks?: string | undefined;
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
  modelServer,
}: Pick<LocalTargetOptions, 'directory' | 'clock' | 'version' | 'quotas' | 'modelServer'>): PlanDeps {
  return {
    store: createDirectoryStore(directory),
    clock,
    hash: sha256,
    scratchDirectory: join(directory, '.scratch'),
    hub: machineHub(),
    tokenizer: loadTokenizer,
    settings: {
      bucket: LOCAL_BUCKET,
      roleArn: 'arn:aws:iam::123456789012:role/quarry-local',
      quotas: { ...DEFAULT_BATCH_QUOTAS, ...quotas },
      quotaSources: Object.fromEntries(Object.keys(quotas ?? {}).map((key) => [key, 'told' as const])),
      pollSeconds: 1,
      prepareConcurrency: 1,
      rowsPerSlice: 200_000,
      ...answeredBy(
        modelServer === undefined ? null : { url: modelServer.server.url, model: modelServer.server.model },
      ),
      billed: false,
      version,
    },
  };
}

function answeredBy(server: AnsweringServer | null): Pick<StepSettings, 'simulated' | 'modelServer'> {
  return server === null ? { simulated: true } : { simulated: false, modelServer: server };
}

/**
 * The same where nobody but the emulator that a run would use knows who answers, since it has a model server of its own: that one is
 * part of what a run is called.
 */
export async function askedPlanDeps(options: LocalTargetOptions): Promise<PlanDeps> {
  const planDeps = localPlanDeps(options);
  const { emulatorUrl, modelServer, directory } = options;
  if (modelServer !== undefined) return planDeps;
  const ask = async () => {
    if (emulatorUrl !== undefined) return whoAnswers(emulatorUrl, undefined);
    const url = await servingUrl(createDirectoryStore(join(directory, '.emulator')));
    // Where its process is gone, a run starts an emulator of its own, which has no server.
    return url === undefined ? null : whoAnswers(url, undefined).catch(() => null);
  };
  const { modelServer: _, ...settings } = planDeps.settings;
  return { ...planDeps, settings: { ...settings, ...answeredBy(await ask()) } };
}

/** Sets the local target up: the directory store, and the emulator behind the real AWS SDK. */
export async function openLocalTarget(options: LocalTargetOptions): Promise<EngineTarget> {
  const { modelServer, asks, emulatorUrl } = options;
  if (modelServer !== undefined && asks !== undefined) await requireModelServer(modelServer, asks);
  const planDeps = localPlanDeps(options);
  const notices = createNoticeBoard();
  const emulator =
    emulatorUrl === undefined ? await shareFolder(options, planDeps, notices) : runningEmulator(emulatorUrl);
  try {
    const answering = await whoAnswers(emulator.url(), modelServer);
    const ownMs = modelServer && modelServer.server.timeoutMs + CONTROL_DEADLINE_MS;
    const answerMs = ownMs ?? ANSWER_DEADLINES_MS[answering === null ? 'simulated' : 'served'];
    const clients = connect(emulator, { modelServer, answerMs });
    return {
      store: planDeps.store,
      control: clients.control,
      notices,
      deps: {
        ...planDeps,
        bedrock: createAwsBedrock(clients),
        settings: {
          ...planDeps.settings,
          pollSeconds: options.pollSeconds ?? planDeps.settings.pollSeconds,
          ...answeredBy(answering),
        },
      },
      [Symbol.asyncDispose]: async () => {
        clients.control.destroy();
        clients.runtime.destroy();
        await emulator[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await emulator[Symbol.asyncDispose]();
    throw error;
  }
}

/** The emulator of the folder: this process's own, or another's. */
function shareFolder(
  { directory, clock, durations }: LocalTargetOptions,
  { store, settings }: PlanDeps,
  notices: NoticeBoard,
): Promise<SharedEmulator> {
  const stateDirectory = join(directory, '.emulator');
  return shareEmulator(createDirectoryStore(stateDirectory), () =>
    startEmulator({
      store,
      stateDirectory,
      clock,
      quotas: { default: settings.quotas },
      onNotice: (notice) => notices.post(toTargetNotice(notice, stateDirectory)),
      ...(durations === undefined ? {} : { durations }),
    }),
  );
}

/** A job that the emulator gave up ends the run that waits for it, and goes on with the next one. */
function toTargetNotice({ kind, message, cause }: EmulatorNotice, stateDirectory: string): TargetNotice {
  if (kind !== 'job-halted') return { message };
  return { message, fault: diskFaultOf(cause, stateDirectory) ?? new ServiceUnavailableError(message) };
}

/** The SDK's clients of an emulator; each of their calls says who is to answer. */
function connect(
  emulator: SharedEmulator,
  { modelServer, answerMs }: { modelServer: KeyedModelServer | undefined; answerMs: number },
): BedrockClients {
  const clientOptions = {
    // Asked for at each call: the emulator moves when the process that runs it ends.
    endpoint: async () => parseUrl(emulator.url()),
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const clients = {
    control: new BedrockClient({
      ...clientOptions,
      // The emulator may be another process's, which can be stopped at any time.
      requestHandler: { requestTimeout: CONTROL_DEADLINE_MS, throwOnRequestTimeout: true },
    }),
    // A server of the user's own is asked again by the step, which counts and tells it.
    runtime: new BedrockRuntimeClient({
      ...clientOptions,
      requestHandler: { requestTimeout: answerMs, throwOnRequestTimeout: true },
      ...(modelServer === undefined ? {} : { maxAttempts: 1 }),
    }),
  };
  if (modelServer === undefined) return clients;
  const header = encodeModelServer(modelServer);
  const nameServer = (request: unknown) => {
    (request as { headers: Record<string, string> }).headers[MODEL_SERVER_HEADER] = header;
  };
  clients.control.middlewareStack.add(
    (next) => (args) => {
      nameServer(args.request);
      return next(args);
    },
    { step: 'build' },
  );
  clients.runtime.middlewareStack.add(
    (next) => (args) => {
      nameServer(args.request);
      return next(args);
    },
    { step: 'build' },
  );
  return clients;
}

function runningEmulator(url: string): SharedEmulator {
  return { url: () => url, [Symbol.asyncDispose]: async () => {} };
}

function parseUrl(url: string) {
  const { protocol, hostname, port } = new URL(url);
  return { protocol, hostname, port: Number(port), path: '/' };
}
