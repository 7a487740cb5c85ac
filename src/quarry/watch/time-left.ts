import { DEFAULT_RECORDS_PER_HOUR, scheduleJobs } from '../../core/plan/schedule.ts';

/** What a range of time is taken from: jobs of the run that have ended, those that run, or a usual job's pace. */
export type PaceBasis = 'finished_jobs' | 'running_jobs' | 'usual_pace';

/** How long a run may still take. */
export interface TimeLeft {
  /** Seconds, where all goes as fast as the fastest of its jobs, and as slowly as the slowest. */
  lowSeconds: number;
  highSeconds: number;
  basis: PaceBasis;
  /** Jobs that the pace is taken from; 0 of a usual one. */
  jobs: number;
}

/** What is known of the jobs of a run, and what is left of them. */
export interface WorkLeft {
  /** Records an hour of each job that has ended; of each one that runs. */
  finishedPaces: readonly number[];
  runningPaces: readonly number[];
  /** Records that are left of each part under way; of each part that comes after those. */
  open: readonly number[];
  later: readonly number[];
  /** Records that are to be sent again, so far. */
  owed: number;
  jobsInFlight: number;
}

/** Of one pace alone it is not known how far others lie from it. */
const DOUBT = 1.25;
/** A usual job may be twice as fast, or half as fast. */
const USUAL_DOUBT = 2;

/** The time that is left, by the best pace that there is. Waits for a quota are not in it. */
export function timeLeft(work: WorkLeft): TimeLeft {
  const { basis, jobs, slowest, fastest } = paceOf(work);
  return {
    lowSeconds: Math.round(secondsAt(work, fastest, 0)),
    highSeconds: Math.round(secondsAt(work, slowest, work.owed)),
    basis,
    jobs,
  };
}

interface Pace extends Pick<TimeLeft, 'basis' | 'jobs'> {
  slowest: number;
  fastest: number;
}

function paceOf({ finishedPaces, runningPaces }: WorkLeft): Pace {
  const [basis, paces] =
    finishedPaces.length > 0
      ? (['finished_jobs', finishedPaces] as const)
      : (['running_jobs', runningPaces] as const);
  if (paces.length === 0) {
    return {
      basis: 'usual_pace',
      jobs: 0,
      slowest: DEFAULT_RECORDS_PER_HOUR / USUAL_DOUBT,
      fastest: DEFAULT_RECORDS_PER_HOUR * USUAL_DOUBT,
    };
  }
  const least = paces.reduce((pace, next) => Math.min(pace, next));
  const most = paces.reduce((pace, next) => Math.max(pace, next));
  const middle = Math.sqrt(least * most);
  // Those that run now may be slower than those that have ended: these were the quick ones.
  const slowestNow = runningPaces.reduce((pace, next) => Math.min(pace, next), least);
  return {
    basis,
    jobs: paces.length,
    slowest: Math.min(slowestNow, middle / DOUBT),
    fastest: Math.max(most, middle * DOUBT),
  };
}

/** Waves run one after the other: what is under way ends before what is left begins. */
function secondsAt({ open, later, jobsInFlight }: WorkLeft, recordsPerHour: number, owed: number): number {
  const again = owed === 0 ? [] : evenly(owed, jobsInFlight);
  const hours = [open, later, again].map(
    (sizes) => scheduleJobs(sizes, { jobsInFlight, recordsPerHour }).hours,
  );
  return hours.reduce((sum, of) => sum + of, 0) * 3600;
}

function evenly(records: number, parts: number): number[] {
  return new Array<number>(parts).fill(records / parts);
}
