import { join } from 'node:path';
import { DamagedFileError, InvalidRunInputError, UnreadableOutputError } from '../../src/core/errors.ts';
import type { S3Uri } from '../../src/core/s3-uri.ts';
import { createRandom } from '../../src/emulator/faults/seeded-random.ts';
import { batchPriceOf, costUsd } from '../../src/models/catalog/prices.ts';
import { readResults } from '../../src/rows/results/read-results.ts';
import { type RunLayout, runLayout, runUriOf } from '../../src/runs/run-layout.ts';
import { markCancelled } from '../../src/steps/run/cancellation.ts';
import { takeUp } from '../../src/steps/run/take-up.ts';
import { verifyRun } from '../../src/steps/run/verify-run.ts';
import { localPathOf } from '../../src/store/directory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  type LocalRunOptions,
  type LocalRunResult,
  runLocally,
} from '../../src/targets/embedded/run-locally.ts';
import { LOCAL_BUCKET } from '../../src/targets/local/local-target.ts';
import type { StepName } from '../../src/workflow/definition.ts';
import { MODEL } from '../support/emulated-run.ts';
import { filesBelow, filesOfRun, followAdvice, type HarmedFile, harmOneOf } from '../support/harmed-files.ts';
import { asUser } from '../support/step-policies.ts';
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
import { FORMER_RUN_ID, type Scenario } from './scenario.ts';
import { promptKeysOf, writeDataset } from './scenario-dataset.ts';

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
  /** Rows, by their number, that a former run has kept the answers of, for certain. */
  keptRows: ReadonlySet<number>;
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
    ...promptKeysOf(scenario),
    run_id: RUN_ID,
    ...keysOf(scenario),
  };
  const layout = runLayout(runUriOf(LOCAL_BUCKET, RUN_ID));
  const { soundDeps, target } = world;
  const abort = { now: () => {} };
  const harmed: HarmedFile[] = [];
  let mayHarm = true;
  const machine = createFaultyMachine(scenario.machine, {
    deps: soundDeps,
    breakOff: () => abort.now(),
    cancel: async () => {
      // As the command does: what is not planned, or has ended, cannot be cancelled.
      const isPlanned = (await soundDeps.store.head(layout.plan)) !== undefined;
      const hasEnded = (await soundDeps.store.head(layout.summary)) !== undefined;
      if (isPlanned && !hasEnded) await markCancelled(layout, soundDeps.store, new Date(world.clock.now()));
    },
    harm: async (harm) => {
      if (!mayHarm) return;
      const files = await filesOfRun(world.directory, RUN_ID);
      // S3 has checksums of its own, and harms no file so: there, a document stands for what a hand does.
      const mayBe = scenario.machine.isRemote ? files.filter((path) => path.endsWith('.json')) : files;
      const file = await harmOneOf(mayBe, harm);
      if (file !== undefined) harmed.push(file);
    },
    startRival: async () => {
      const rival = await runLocally(input, { target: { ...target, deps: soundDeps }, random: () => 0.5 });
      if (rival.kind !== 'failed' || rival.error !== 'RunBusyError') {
        throw new Error(`A second process on the run was not refused: ${JSON.stringify(rival)}`);
      }
    },
  });
  const foreignJobs = new Set(await runNeighbour(input, world));
  const former = runFormer(input, world);
  const keptRows = scenario.former?.isBeside === true ? new Set<number>() : await former;
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
      onClaimed: async (at) =>
        void (await asUser(() => takeUp(at, { resendMissing: true }, soundDeps.store))),
    });
  };
  const toEnd = async (startOnce: typeof start): Promise<LocalRunResult> => {
    for (;;) {
      const ended = await runToEnd({
        start: startOnce,
        giveUp,
        mend: (message) => followAdvice(message, harmed),
      });
      await machine.twinsDone();
      if (ended.kind !== 'finished' || (await mendBroken(harmed, { layout, store: soundDeps.store })))
        return ended;
    }
  };
  let result = await toEnd(start);
  await former;
  const ended = (): FinishedRun => ({
    ...world,
    result,
    twinSteps: machine.twinSteps,
    foreignJobs,
    keptRows,
    hasGivenUp,
  });
  const takesUp = {
    onClaimed: async (at: RunLayout) => void (await asUser(() => takeUp(at, {}, target.deps.store))),
  };
  while (result.kind === 'finished' && result.summary.status === 'cancelled') {
    await machine.twinsDone();
    await checkRun(ended());
    const harvest = await readRows(ended());
    result = await toEnd(() => start(takesUp));
    if (result.kind === 'finished') await checkHarvestKept(harvest, ended());
  }
  if (scenario.isTakenUp && result.kind === 'finished' && result.summary.status === 'partly_succeeded') {
    await machine.twinsDone();
    await checkRun(ended());
    const harvest = await readRows(ended());
    result = await toEnd(() => start(takesUp));
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
  mayHarm = false;
  // What was harmed after it was last read is told by whoever reads it next.
  if (harmed.length > 0) {
    result = await toEnd(start);
    await checkRun(ended());
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

/** Runs the first rows before, or beside, under another id; the rows whose answers are kept. */
async function runFormer(input: Record<string, unknown>, world: ChaosWorld): Promise<ReadonlySet<number>> {
  const { scenario, soundDeps, target, directory } = world;
  const { former, keys } = scenario;
  if (former === undefined || keys.reuse !== true) return new Set();
  const { max_cost_usd: _, ...rest } = input;
  const result = await runLocally(
    {
      ...rest,
      dedupe: true,
      reuse: true,
      run_id: FORMER_RUN_ID,
      job_name_prefix: FORMER_RUN_ID,
      max_records: former.rows,
    },
    { target: { ...target, deps: soundDeps }, random: () => 0.5 },
  );
  if (former.harm !== undefined && !former.isBeside) {
    const files = await filesBelow(join(directory, LOCAL_BUCKET, 'answers'));
    await harmOneOf(files, former.harm);
    return new Set();
  }
  if (result.kind !== 'finished') return new Set();
  const paths = result.summary.output_uris.map((uri) => localPathOf(directory, uri as S3Uri));
  const rows = await Array.fromAsync(readResults(paths, {}));
  return new Set(
    rows
      .filter(({ error_code, stop_reason }) => error_code === null && stop_reason === 'end_turn')
      .map(({ n }) => Number(n)),
  );
}

/** How a run is started, and what is done in between. */
interface Starts {
  start: () => Promise<LocalRunResult>;
  giveUp: () => Promise<LocalRunResult>;
  /** Does what a message about a damaged file says. */
  mend: (message: string) => Promise<void>;
}

/** Does what `quarry verify` says of the files of a run that was harmed; true where it finds none of them broken. */
async function mendBroken(
  harmed: readonly HarmedFile[],
  { layout, store }: { layout: RunLayout; store: ObjectStore },
): Promise<boolean> {
  if (harmed.length === 0) return true;
  const { broken } = await verifyRun(layout, store);
  for (const { file, fault, advice } of broken) await followAdvice(`${file}: ${fault} ${advice}`, harmed);
  return broken.length === 0;
}

/**
 * Starts the run until it has ended: well, or stopped by a fault that did not go away, or refused. Answers that cannot be
 * read at the third time are given up.
 */
async function runToEnd({ start, giveUp, mend }: Starts): Promise<LocalRunResult> {
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
    if (result.error === new DamagedFileError().name) {
      await mend(result.message);
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
