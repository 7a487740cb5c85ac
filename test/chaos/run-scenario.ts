import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVirtualClock } from '../../src/core/clock.ts';
import { createRandom } from '../../src/emulator/seeded-random.ts';
import type { LocalRunResult } from '../../src/local/run-locally.ts';
import { type EmulatedTarget, openEmulatedTarget, runRows } from '../support/emulated-run.ts';
import { checkRun, checkUnchanged, type FinishedRun, snapshot } from './check-run.ts';
import { faultySteps, faultyStore, jumpingClock } from './faulty-machine.ts';
import type { Scenario } from './scenario.ts';

/** Often enough to outlast every fault that a scenario can have. */
const MOST_STARTS = 25;
/** So that a job of a day is a hundred looks at it. */
const POLL_SECONDS = 900;

/** Runs a scenario to its end, starting again what was broken off or stopped, and checks every promise. */
export async function runScenario(scenario: Scenario): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'quarry-chaos-'));
  try {
    const { machine, seed, quotas, overQuota, faults } = scenario;
    const clock = createVirtualClock();
    await using emulated = await openEmulatedTarget({
      directory,
      quotas,
      clock,
      pollSeconds: POLL_SECONDS,
      emulator: { seed, overQuota, faults, durations: { inProgressMs: 600_000 } },
      wrap: (target) => ({
        ...target,
        deps: {
          ...target.deps,
          store: faultyStore(target.deps.store, machine.storeFaults),
          clock: jumpingClock(clock, machine.clockJumpsMs),
        },
      }),
    });
    const run: FinishedRun = {
      scenario,
      directory,
      emulated,
      result: await runToEnd(emulated, scenario, directory),
    };
    await checkRun(run);
    if (run.result.kind !== 'finished') return;
    const before = await snapshot(run);
    await runRows(scenario.rows, emulated, { directory, keys: scenario.keys });
    checkUnchanged(before, await snapshot(run));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Starts the run until it has ended: well, or stopped by a fault that did not go away. */
async function runToEnd(
  emulated: EmulatedTarget,
  { rows, keys, machine, seed }: Scenario,
  directory: string,
): Promise<LocalRunResult> {
  const abort = { now: () => {} };
  const aroundTasks = faultySteps(machine, () => abort.now());
  const random = createRandom(seed);
  let stops = 0;
  for (let start = 1; start <= MOST_STARTS; start += 1) {
    const controller = new AbortController();
    abort.now = () => controller.abort(new Error('Broken off.'));
    const result = await runRows(rows, emulated, {
      directory,
      keys,
      random,
      aroundTasks,
      signal: controller.signal,
    });
    if (result.kind === 'finished') return result;
    if (result.kind === 'aborted') continue;
    if (result.error !== 'SystematicFaultError') {
      throw new Error(`The run failed at start ${start}: ${result.error}: ${result.message}`);
    }
    stops += 1;
    if (stops === 3) return result;
  }
  throw new Error(`The run has not ended after ${MOST_STARTS} starts.`);
}
