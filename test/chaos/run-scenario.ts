import { InvalidRunInputError, UnreadableOutputError } from '../../src/core/errors.ts';
import { createRandom } from '../../src/emulator/faults/seeded-random.ts';
import { batchPriceOf, costUsd } from '../../src/models/catalog/prices.ts';
import { type RunLayout, runLayout, runUriOf } from '../../src/runs/run-layout.ts';
import { markCancelled } from '../../src/steps/run/cancellation.ts';
import { takeUp } from '../../src/steps/run/take-up.ts';
import {
  type LocalRunOptions,
  type LocalRunResult,
  runLocally,
} from '../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import type { StepName } from '../../src/workflow/definition.ts';
import { MODEL } from '../support/emulated-run.ts';
import { type ChaosWorld, openChaosWorld } from './chaos-world.ts';
import {
  checkHarvestKept,
  checkNothingSent,
  checkRun,
  checkUnchanged,
  readRows,
  snapshot,
} from './check-run.ts';
import { createFaultyMachine } from './faulty-machine.ts';
import type { Scenario } from './scenario.ts';
import { writeDataset } from './scenario-dataset.ts';

/** Often enough to outlast every fault that a scenario can have. */
const MOST_STARTS = 25;
const RUN_ID = 'chaos';

/** A scenario that has come to its end, or to its being cancelled. */
export interface FinishedRun extends ChaosWorld {
  result: LocalRunResult;
  /** Steps that two workers did at once. */
  twinSteps: readonly StepName[];
  /** Names of the jobs of another run. */
  foreignJobs: ReadonlySet<string>;
  /** True where answers that were paid for could not be read for good, and were given up. */
  hasGivenUp: boolean;
}

/** Runs a scenario to its end, starting again what was broken off, stopped or cancelled, and checks every promise. */
export async function runScenario(scenario: Scenario): Promise<void> {
  await using world = await openChaosWorld(scenario);
  const s3_uri = await writeDataset(scenario, world.directory);
  const input = {
    s3_uri,
    model_id: MODEL,
    prompt_template: 'Say {name}',
    run_id: RUN_ID,
    ...keysOf(scenario),
  };
  const layout = runLayout(runUriOf(LOCAL_BUCKET, RUN_ID));
  const { soundDeps, target } = world;
  const abort = { now: () => {} };
  const machine = createFaultyMachine(scenario.machine, {
    deps: soundDeps,
    breakOff: () => abort.now(),
    cancel: async () => {
      // As the command does: what is not planned, or has ended, cannot be cancelled.
      const isPlanned = (await soundDeps.store.head(layout.plan)) !== undefined;
      const hasEnded = (await soundDeps.store.head(layout.summary)) !== undefined;
      if (isPlanned && !hasEnded) await markCancelled(layout, soundDeps.store, new Date(world.clock.now()));
    },
    startRival: async () => {
      const rival = await runLocally(input, { target: { ...target, deps: soundDeps }, random: () => 0.5 });
      if (rival.kind !== 'failed' || rival.error !== 'RunBusyError') {
        throw new Error(`A second process on the run was not refused: ${JSON.stringify(rival)}`);
      }
    },
  });
  const foreignJobs = new Set(await runNeighbour(input, world));
  const random = createRandom(scenario.seed);
  const start = (options: Pick<LocalRunOptions, 'onClaimed'> = {}): Promise<LocalRunResult> => {
    const controller = new AbortController();
    abort.now = () => controller.abort(new Error('Broken off.'));
    const { aroundTasks } = machine;
    return runLocally(input, { target, random, aroundTasks, signal: controller.signal, ...options });
  };

  let hasGivenUp = false;
  const giveUp: typeof start = () => {
    hasGivenUp = true;
    world.outputs.loseForGood();
    return start({
      onClaimed: async (at) => void (await takeUp(at, { resendMissing: true }, soundDeps.store)),
    });
  };
  let result = await runToEnd(start, giveUp);
  const ended = (): FinishedRun => ({
    ...world,
    result,
    twinSteps: machine.twinSteps,
    foreignJobs,
    hasGivenUp,
  });
  const takesUp = { onClaimed: async (at: RunLayout) => void (await takeUp(at, {}, target.deps.store)) };
  while (result.kind === 'finished' && result.summary.status === 'cancelled') {
    await machine.twinsDone();
    await checkRun(ended());
    const harvest = await readRows(ended());
    result = await runToEnd(() => start(takesUp), giveUp);
    if (result.kind === 'finished') await checkHarvestKept(harvest, ended());
  }
  if (scenario.isTakenUp && result.kind === 'finished' && result.summary.status === 'partly_succeeded') {
    await machine.twinsDone();
    await checkRun(ended());
    const harvest = await readRows(ended());
    result = await runToEnd(() => start(takesUp), giveUp);
    if (result.kind === 'finished') await checkHarvestKept(harvest, ended());
  }
  await machine.twinsDone();
  if (result.kind === 'failed' && result.error === new InvalidRunInputError().name) {
    return checkNothingSent(ended());
  }
  await checkRun(ended());
  if (result.kind !== 'finished') return;
  if ((await soundDeps.store.head(layout.cancellation)) !== undefined) {
    // It came too late, and the command takes it back.
    await soundDeps.store.delete(layout.cancellation);
  }
  const before = await snapshot(ended());
  await start();
  await machine.twinsDone();
  checkUnchanged(before, await snapshot(ended()));
}

/** Runs the same input in another bucket of the same account; the names of its jobs. */
async function runNeighbour(input: Record<string, unknown>, world: ChaosWorld): Promise<string[]> {
  const { scenario, soundDeps, target, emulator } = world;
  if (!scenario.hasNeighbour) return [];
  const settings = { ...soundDeps.settings, bucket: 'another-bucket' };
  await runLocally(input, { target: { ...target, deps: { ...soundDeps, settings } }, random: () => 0.5 });
  return (await emulator.usage()).jobs.map(({ jobName }) => jobName);
}

/**
 * Starts the run until it has ended: well, or stopped by a fault that did not go away, or refused. Answers that cannot be
 * read at the third time are given up.
 */
async function runToEnd(
  start: () => Promise<LocalRunResult>,
  giveUp: () => Promise<LocalRunResult>,
): Promise<LocalRunResult> {
  let stops = 0;
  let unreadable = 0;
  for (let number = 1; number <= MOST_STARTS; number += 1) {
    const result = unreadable >= 3 ? await giveUp() : await start();
    if (result.kind === 'finished') return result;
    if (result.kind === 'aborted') continue;
    if (result.error === new InvalidRunInputError().name) return result;
    if (result.error === new UnreadableOutputError().name) {
      unreadable += 1;
      continue;
    }
    if (result.error !== 'SystematicFaultError') {
      throw new Error(`The run failed at start ${number}: ${result.error}: ${result.message}`);
    }
    stops += 1;
    if (stops === 3) return result;
  }
  throw new Error(`The run has not ended after ${MOST_STARTS} starts.`);
}

/** The run input's keys, with a budget in dollars. */
function keysOf({ keys, budget, dataset }: Scenario): Record<string, unknown> {
  const price = batchPriceOf(MODEL);
  if (budget === undefined || price === undefined) return keys;
  const output = keys.inference_parameters?.max_tokens ?? 1024;
  return { ...keys, max_cost_usd: dataset.rows * costUsd(price, { input: 10, output }) * budget };
}
