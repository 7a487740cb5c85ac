/** When a job is looked at: often while it is young, as many end soon; seldom once it has run for a day, as it may for a week. */
export interface PollPace {
  /** Seconds between two looks in the job's first hour. */
  young_seconds: number;
  /** When that hour is over, as an RFC 3339 time. */
  young_until: string;
  /** Seconds between two looks until a day has passed. */
  poll_seconds: number;
  poll_until: string;
  /** Seconds between two looks from then on. */
  old_seconds: number;
}

const YOUNG_SECONDS = 60;
const OLD_SECONDS = 600;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The pace at which a job is looked at from now on, where `pollSeconds` is the usual time between two looks. */
export function pollPaceOf(pollSeconds: number, nowMs: number): PollPace {
  return {
    young_seconds: Math.min(pollSeconds, YOUNG_SECONDS),
    young_until: new Date(nowMs + HOUR_MS).toISOString(),
    poll_seconds: pollSeconds,
    poll_until: new Date(nowMs + DAY_MS).toISOString(),
    old_seconds: Math.max(pollSeconds, Math.min(OLD_SECONDS, 10 * pollSeconds)),
  };
}
