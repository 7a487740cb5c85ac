import type { Retrier } from '../definition/amazon-states-language.ts';
import type { StateError } from '../state-error.ts';

const DEFAULT_INTERVAL_SECONDS = 1;
const DEFAULT_MAX_ATTEMPTS = 3;
const DEFAULT_BACKOFF_RATE = 2;

/** What the retriers of one visit to a state have done so far. */
export interface RetryLedger {
  /** Retries made under each retrier. */
  counts: number[];
}

/**
 * Whether a Retry or Catch with these ErrorEquals takes an error. States.Runtime is never taken, and
 * States.DataLimitExceeded only by its own name (developer guide, Handling errors); but where a Task's result is
 * too large, the service was recorded to let States.ALL take it.
 */
export function matchesError(
  errorEquals: readonly string[],
  { error, ofTask }: Pick<StateError, 'error' | 'ofTask'>,
): boolean {
  if (error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (name === error) return true;
    if (error === 'States.DataLimitExceeded' && !ofTask) return false;
    if (name === 'States.ALL') return true;
    return name === 'States.TaskFailed' && error !== 'States.Timeout';
  });
}

/**
 * Milliseconds to wait before the next attempt, noted in the ledger; undefined where there is none. The first
 * retrier that takes the error decides, and has its own count.
 */
export function nextRetryDelayMs(
  retriers: readonly Retrier[],
  ledger: RetryLedger,
  { error, random }: { error: Pick<StateError, 'error' | 'ofTask'>; random: () => number },
): number | undefined {
  const index = retriers.findIndex((retrier) => matchesError(retrier.ErrorEquals, error));
  const retrier = retriers[index];
  if (retrier === undefined) return undefined;
  const retriesMade = ledger.counts[index] ?? 0;
  if (retriesMade >= (retrier.MaxAttempts ?? DEFAULT_MAX_ATTEMPTS)) return undefined;
  ledger.counts[index] = retriesMade + 1;
  return retryDelaySeconds(retrier, { retriesMade, random }) * 1000;
}

/** Seconds before a retry: the interval, backed off, capped, and with FULL jitter anything from 0 up to that. */
export function retryDelaySeconds(
  retrier: Retrier,
  { retriesMade, random }: { retriesMade: number; random: () => number },
): number {
  const interval = retrier.IntervalSeconds ?? DEFAULT_INTERVAL_SECONDS;
  const backedOff = interval * (retrier.BackoffRate ?? DEFAULT_BACKOFF_RATE) ** retriesMade;
  const capped = Math.min(backedOff, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return retrier.JitterStrategy === 'FULL' ? capped * random() : capped;
}
