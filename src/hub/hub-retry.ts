import type { Clock } from '../core/clock.ts';
import { ServiceUnavailableError } from '../core/errors.ts';

/** Attempts in a row that got nowhere, before we give up. */
const MAX_HUB_ATTEMPTS = 6;

/** Longest wait that the Hub may ask of us: two of its windows of five minutes. https://huggingface.co/docs/hub/rate-limits */
const MAX_RETRY_AFTER_MS = 600_000;

const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/** An attempt failed in a way that the next one may not. */
export class TransientHubFault extends Error {
  override readonly name = 'TransientHubFault';
  /** Milliseconds that the server asked us to wait; undefined = it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number | undefined } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What backing off needs of the world. */
export interface RetryDeps {
  clock: Clock;
  random: () => number;
  signal?: AbortSignal;
  /** Told, before every wait, what failed and when it is tried again. */
  onWait?: (message: string) => void;
}

/**
 * Calls `attempt` until it succeeds, with growing, jittered waits after a TransientHubFault. An attempt that calls
 * `progressed` starts the count anew. Throws ServiceUnavailableError once MAX_HUB_ATTEMPTS in a row have failed.
 */
export async function retryHubFaults<T>(
  attempt: (progressed: () => void) => Promise<T>,
  { clock, random, signal, onWait }: RetryDeps,
): Promise<T> {
  let failures = 0;
  const progressed = () => {
    failures = 0;
  };
  for (;;) {
    try {
      return await attempt(progressed);
    } catch (error) {
      if (!(error instanceof TransientHubFault)) throw error;
      failures += 1;
      const askedMs = error.retryAfterMs ?? 0;
      if (failures >= MAX_HUB_ATTEMPTS || askedMs > MAX_RETRY_AFTER_MS) throw toGivenUp(error, failures);
      const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
      const waitMs = Math.max(askedMs, backoffMs / 2) + (random() * backoffMs) / 2;
      onWait?.(
        `${error.message} Trying again in ${Math.ceil(waitMs / 1000)} s (attempt ${failures + 1} of ${MAX_HUB_ATTEMPTS}).`,
      );
      await clock.sleep(waitMs, signal);
    }
  }
}

function toGivenUp(fault: TransientHubFault, attempts: number): ServiceUnavailableError {
  const wait =
    fault.retryAfterMs === undefined
      ? ''
      : ` It asks to wait ${Math.ceil(fault.retryAfterMs / 1000)} seconds.`;
  return new ServiceUnavailableError(
    `${fault.message} Gave up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}.${wait} Try again later: what was downloaded is kept.`,
    { cause: fault },
  );
}

/**
 * The wait that a response asks for, in milliseconds: `Retry-After`, or the `t` of the Hub's `RateLimit` header,
 * like `"api";r=0;t=55`. https://huggingface.co/docs/hub/rate-limits
 */
export function retryAfterMsOf(headers: Headers, nowMs: number): number | undefined {
  const retryAfter = headers.get('retry-after')?.trim();
  if (retryAfter !== undefined && /^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const date = retryAfter === undefined ? Number.NaN : Date.parse(retryAfter);
  if (!Number.isNaN(date)) return Math.max(0, date - nowMs);
  const seconds = /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
