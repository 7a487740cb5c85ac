import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BedrockClient } from '@aws-sdk/client-bedrock';
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime';
import { createAwsBedrock } from '../../src/bedrock/aws-bedrock.ts';
import { type Clock, createVirtualClock } from '../../src/core/clock.ts';
import { DEFAULT_BATCH_QUOTAS } from '../../src/core/jobs/quotas.ts';
import { type Emulator, startEmulator } from '../../src/emulator/server.ts';
import type { StepDeps } from '../../src/steps/deps.ts';
import { createDirectoryStore } from '../../src/store/directory-store.ts';
import type { EngineTarget } from '../../src/targets/embedded/engine-target.ts';
import { localPlanDeps } from '../../src/targets/local/local-target.ts';
import { type FaultyOutputs, spoilOutputs } from '../support/output-faults.ts';
import { asRemote } from '../support/remote-store.ts';
import { type Judgement, readStepPolicies, underPolicies } from '../support/step-policies.ts';
import { faultyStore, jumpingClock } from './faulty-machine.ts';
import type { Scenario } from './scenario.ts';

/** So that a job of a day is a hundred looks at it. */
const POLL_SECONDS = 900;

let endpoint = '';
const clientOptions = {
  // Asked for at each call: the clients outlive the emulators, since to make them takes as long as a small run.
  endpoint: async () => {
    const { protocol, hostname, port } = new URL(endpoint);
    return { protocol, hostname, port: Number(port), path: '/' };
  },
  region: 'us-east-1',
  credentials: { accessKeyId: 'chaos', secretAccessKey: 'chaos' },
  // Tries of its own would wait on the real clock.
  maxAttempts: 1,
};
const control = new BedrockClient(clientOptions);
const runtime = new BedrockRuntimeClient(clientOptions);

/** A scenario's account, store and machine. One at a time. */
export interface ChaosWorld extends AsyncDisposable {
  scenario: Scenario;
  directory: string;
  emulator: Emulator;
  clock: Clock;
  /** What the steps see: the faulty store, the jumping clock, both store and Bedrock under the policies of who calls. */
  target: EngineTarget;
  /** What becomes of the jobs’ output. */
  outputs: FaultyOutputs;
  /** The same without faults. */
  soundDeps: StepDeps;
}

/** Memory, where the system has some as a disk: nothing of a scenario is to outlive it. */
async function fastestDirectory(): Promise<string> {
  const isThere = await access('/dev/shm', constants.W_OK).then(
    () => true,
    () => false,
  );
  return isThere ? '/dev/shm' : tmpdir();
}

/** The stack's own. */
const STACK: Judgement = { policies: readStepPolicies() };

/**
 * Sets a scenario's world up: the real emulator behind the real SDK, on a disk that is fast, and each step under the policies
 * that its function has on AWS.
 */
export async function openChaosWorld(scenario: Scenario, judgement: Judgement = STACK): Promise<ChaosWorld> {
  const { machine, quotas: given, seed, overQuota, faults } = scenario;
  const directory = await mkdtemp(join(await fastestDirectory(), 'quarry-chaos-'));
  const clock = createVirtualClock();
  const quotas = { ...DEFAULT_BATCH_QUOTAS, ...given };
  const planDeps = localPlanDeps({ directory, clock, version: '0.0.0', quotas });
  const emulator = await startEmulator({
    store: createDirectoryStore(directory),
    stateDirectory: join(directory, '.emulator'),
    clock,
    trackRecords: true,
    // As in the policies.
    accountId: '123456789012',
    quotas: { default: quotas },
    seed,
    overQuota,
    faults,
    durations: { inProgressMs: 600_000 },
  });
  endpoint = emulator.url;
  const outputs = spoilOutputs(planDeps.store, { clock, faults: scenario.outputs });
  const store = machine.isRemote ? asRemote(outputs.store).store : outputs.store;
  const allMayBeCalled: StepDeps = {
    ...planDeps,
    store,
    bedrock: createAwsBedrock({ control, runtime }),
    settings: { ...planDeps.settings, pollSeconds: POLL_SECONDS },
  };
  const soundDeps: StepDeps = { ...allMayBeCalled, ...underPolicies(allMayBeCalled, judgement) };
  return {
    scenario,
    directory,
    emulator,
    clock,
    outputs,
    soundDeps,
    target: {
      store,
      control,
      deps: {
        ...soundDeps,
        store: faultyStore(soundDeps.store, machine.storeFaults),
        clock: jumpingClock(clock, machine.clockJumpsMs),
      },
      [Symbol.asyncDispose]: async () => {},
    },
    [Symbol.asyncDispose]: async () => {
      await emulator.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
