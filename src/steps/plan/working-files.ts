import { InvalidRunInputError } from '../../core/errors.ts';
import { DEFAULT_RECORDS_PER_HOUR, scheduleJobs } from '../../core/plan/schedule.ts';

/** A run whose jobs are to be sent, and where its working files are deleted of themselves. */
export interface WorkingFilesRequest {
  /** Records of each part. */
  jobs: readonly number[];
  jobsInFlight: number;
  /** Days after which a file below `working/` is deleted; undefined where none ever is. */
  workingFilesDays: number | undefined;
}

const HOURS_OF_A_DAY = 24;
/** Queues on Bedrock's side, and records that are sent again, are in no schedule. */
const SAFE_SHARE = 0.5;

/**
 * What to know of a run that may take as long as its records are kept. Throws InvalidRunInputError where it would take
 * longer by the schedule: the last jobs would find their input deleted, once the others are paid for.
 */
export function workingFilesNotes({ jobs, jobsInFlight, workingFilesDays }: WorkingFilesRequest): string[] {
  if (workingFilesDays === undefined) return [];
  const { hours } = scheduleJobs(jobs, { jobsInFlight, recordsPerHour: DEFAULT_RECORDS_PER_HOUR });
  const days = Math.ceil(hours / HOURS_OF_A_DAY);
  if (hours <= SAFE_SHARE * workingFilesDays * HOURS_OF_A_DAY) return [];
  const what = `With ${jobsInFlight} jobs at once this run takes about ${days} days, and the stack deletes the files below working/ after ${workingFilesDays}`;
  const advice = `Deploy with -c workingFilesDays=${2 * days}, or with more maxConcurrentJobs where the account’s quota allows them, or run the dataset in pieces (max_records)`;
  if (hours > workingFilesDays * HOURS_OF_A_DAY) {
    throw new InvalidRunInputError(`${what}: its last jobs would find their records gone. ${advice}.`);
  }
  return [
    `${what}. Should jobs have to wait for Bedrock, its last records could be gone before they are sent. ${advice}.`,
  ];
}
