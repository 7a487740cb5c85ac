import { spawnSync } from 'node:child_process';
import type { TaskReport } from './data-plane-task.ts';

/** What a process took. */
export interface Measured extends TaskReport {
  /** From the process's start to its end. */
  seconds: number;
}

/** Runs a process that prints a TaskReport as its last line. Throws where it fails. */
export function measureProcess(command: string, given: readonly string[]): Measured {
  const started = performance.now();
  const run = spawnSync(command, given, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const seconds = (performance.now() - started) / 1000;
  if (run.status !== 0) throw new Error(`${given.join(' ')} failed.`);
  return { seconds, ...JSON.parse(run.stdout) };
}

/** One process after the other, as one. */
export function addMeasured(first: Measured, second: Measured): Measured {
  return {
    seconds: first.seconds + second.seconds,
    workSeconds: first.workSeconds + second.workSeconds,
    cpuSeconds: first.cpuSeconds + second.cpuSeconds,
    peakMb: Math.max(first.peakMb, second.peakMb),
  };
}

/** The same work, done by each. */
export interface Compared {
  quarry: Measured;
  /** A plain copy of the same bytes. */
  plain: Measured;
  /** The recipe in Python; undefined where there is none, or no Python with pandas. */
  python?: Measured;
}

/** Takes one measurement of each. */
export interface ComparedRuns {
  quarry: () => Promise<Measured>;
  plain: () => Promise<Measured>;
  python?: () => Promise<Measured>;
}

/**
 * Takes each measurement some times, one after the other, and gives the one of median time, with the highest peak of all.
 * Not in turn: where a machine's memory comes from a host, what was not used for some seconds costs several times as much.
 */
export async function measureRuns(times: number, { quarry, plain, python }: ComparedRuns): Promise<Compared> {
  return {
    quarry: await medianOf(times, quarry),
    plain: await medianOf(times, plain),
    ...(python === undefined ? {} : { python: await medianOf(times, python) }),
  };
}

/** The measurement of median time of some, taken one after the other, with the highest peak of all. */
export async function medianOf(times: number, run: () => Promise<Measured>): Promise<Measured> {
  const measured: Measured[] = [];
  for (let time = 0; time < times; time++) measured.push(await run());
  const sorted = measured.toSorted((one, other) => one.seconds - other.seconds);
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  if (median === undefined) throw new Error('Nothing was measured.');
  return { ...median, peakMb: Math.max(...sorted.map(({ peakMb }) => peakMb)) };
}
