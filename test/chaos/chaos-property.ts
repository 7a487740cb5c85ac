import fc from 'fast-check';
import { runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

/** Where nothing else is said: CI must not depend on luck. */
const CI_SEED = 20_260_101;
const CI_RUNS = 10;

/** Milliseconds of the real clock after which a scenario is taken to hang. */
const HANGS_AFTER_MS = 120_000;

const { QUARRY_CHAOS_SEED = CI_SEED, QUARRY_CHAOS_RUNS = CI_RUNS, QUARRY_CHAOS_SECONDS } = process.env;

/** Runs many scenarios; how many there were. A failure tells the seed and the smallest scenario that was found to fail. */
export async function checkScenarios(scenarios: fc.Arbitrary<Scenario>): Promise<number> {
  const seed = QUARRY_CHAOS_SEED === 'random' ? Date.now() & 0x7fffffff : Number(QUARRY_CHAOS_SEED);
  console.log(`chaos: QUARRY_CHAOS_SEED=${seed} QUARRY_CHAOS_RUNS=${QUARRY_CHAOS_RUNS}`);
  const startedAt = performance.now();
  const until = startedAt + 1000 * Number(QUARRY_CHAOS_SECONDS ?? Number.POSITIVE_INFINITY);
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      // On a machine that is busy with other things, the rest of the scenarios is left out.
      if (performance.now() > until) return;
      runs += 1;
      await runScenario(scenario);
    }),
    { seed, numRuns: Number(QUARRY_CHAOS_RUNS), timeout: HANGS_AFTER_MS },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `chaos: ${runs} runs in ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(1)} a second (seed ${seed})`,
  );
  return runs;
}
