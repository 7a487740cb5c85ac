/** How long a job stays in each stage, in milliseconds of the clock. */
export interface StageDurations {
  submittedMs: number;
  validatingMs: number;
  scheduledMs: number;
  /** In progress, whatever the number of records. */
  inProgressMs: number;
  /** In progress, for each record. */
  inProgressMsPerRecord: number;
  stoppingMs: number;
}

/** How output is published while a job is in progress. */
export interface OutputStaging {
  /** Partial versions before the final one. */
  versions: number;
  /** Jobs that are in progress for less get no partial version. */
  minDurationMs: number;
}

/** Quick enough for somebody who waits for it, slow enough to be seen. */
export const DEFAULT_DURATIONS: Readonly<StageDurations> = {
  submittedMs: 200,
  validatingMs: 300,
  scheduledMs: 500,
  inProgressMs: 1000,
  inProgressMsPerRecord: 0.1,
  stoppingMs: 200,
};

/** Two partial versions, and none for a job of a few seconds. */
export const DEFAULT_STAGING: Readonly<OutputStaging> = { versions: 2, minDurationMs: 5000 };
