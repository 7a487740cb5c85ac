import fc from 'fast-check';
import { runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

/** Runs in one go of the tests; `npm run chaos` does thousands. */
const RUNS = Number(process.env.QUARRY_CHAOS_RUNS ?? 50);
/** Set to repeat what failed. */
const SEED = process.env.QUARRY_CHAOS_SEED;

/** Runs many scenarios; how many there were. A failure tells the seed and the smallest scenario that was found to fail. */
export async function checkScenarios(scenarios: fc.Arbitrary<Scenario>): Promise<number> {
  const seed = SEED === undefined ? Date.now() & 0x7fffffff : Number(SEED);
  const startedAt = performance.now();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(scenarios, async (scenario) => {
      runs += 1;
      await runScenario(scenario);
    }),
    { seed, numRuns: RUNS, interruptAfterTimeLimit: 3_600_000 },
  );
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `chaos: ${runs} runs in ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(1)} a second (seed ${seed})`,
  );
  return runs;
}
