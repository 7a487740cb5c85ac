/** How fast jobs are, and how many run at once. */
export interface JobPace {
  jobsInFlight: number;
  /** Records that one job does in an hour, whatever else runs. */
  recordsPerHour: number;
}

/** When jobs of these sizes are done, from the moment that the first one starts. */
export interface JobSchedule {
  jobs: number;
  /** Records of the largest job. */
  largest: number;
  /** Records of the smallest job. */
  smallest: number;
  /** Times that all slots have to be filled, the last time perhaps not all of them. */
  rounds: number;
  /** Hours until the last job ends. */
  hours: number;
}

/** Records an hour of one job in the run of 2.2 million rows that this workflow is known for: 50,000 in about 9 hours. */
export const DEFAULT_RECORDS_PER_HOUR = Math.round(50_000 / 9);

/**
 * Runs jobs on paper: in their order, each as soon as a slot is free, for as long as its records take. Queues on
 * Bedrock's side are not in it.
 */
export function scheduleJobs(
  records: readonly number[],
  { jobsInFlight, recordsPerHour }: JobPace,
): JobSchedule {
  // Records that each slot has been given; all slots are equally fast.
  const slots = new Array<number>(Math.min(jobsInFlight, records.length)).fill(0);
  for (const size of records) {
    const least = Math.min(...slots);
    slots[slots.indexOf(least)] = least + size;
  }
  return {
    jobs: records.length,
    largest: records.reduce((largest, size) => Math.max(largest, size), 0),
    smallest: records.reduce((smallest, size) => Math.min(smallest, size), records[0] ?? 0),
    rounds: Math.ceil(records.length / jobsInFlight),
    hours: Math.max(0, ...slots) / recordsPerHour,
  };
}
