import type { Clock } from '../core/clock.ts';
import { AccessDeniedError, QuarryError, ServiceUnavailableError } from '../core/errors.ts';

/** `skipped`: it could not be looked at, which says nothing of whether it is well. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** What a check has found. */
export interface Finding {
  status: CheckStatus;
  /** What is so. */
  found: string;
  /** What to do about it; null where there is nothing to do. */
  advice: string | null;
}

/** A finding, and what it is about. */
export interface Check extends Finding {
  name: string;
}

/** A check that is to be made. */
export interface PlannedCheck {
  name: string;
  run: () => Promise<Finding>;
}

/** Thrown by a check that has to do without something that another check is about. */
export class UnmetNeed extends Error {
  override readonly name = 'UnmetNeed';
}

/** A finding with nothing to do. */
export function ok(found: string): Finding {
  return { status: 'ok', found, advice: null };
}

/** A finding that lets runs go on. */
export function warning(found: string, advice: string): Finding {
  return { status: 'warning', found, advice };
}

/** A finding that no run can go on with. */
export function failed(found: string, advice: string): Finding {
  return { status: 'failed', found, advice };
}

/** A check that was not made. */
export function skipped(found: string, advice: string | null = null): Finding {
  return { status: 'skipped', found, advice };
}

/** Makes the checks side by side; each ends within the time, and none throws. */
export function makeChecks(
  planned: readonly PlannedCheck[],
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<Check[]> {
  return Promise.all(
    planned.map(async ({ name, run }): Promise<Check> => {
      const enough = new AbortController();
      const tooLate = clock
        .sleep(timeoutMs, enough.signal)
        .then(() =>
          failed(
            `There was no answer within ${timeoutMs / 1000} seconds.`,
            'Check the network, and the proxy if there is one (HTTPS_PROXY).',
          ),
        );
      try {
        return { name, ...(await Promise.race([run().catch(findingOf), tooLate])) };
      } finally {
        tooLate.catch(() => {});
        enough.abort();
      }
    }),
  );
}

/** What an error says that a check did not expect. */
function findingOf(error: unknown): Finding {
  const { name, message } = error as Error;
  if (error instanceof UnmetNeed) return skipped(message);
  if (error instanceof AccessDeniedError) {
    return skipped(message, 'Allow that for this check, or ask somebody who may.');
  }
  if (error instanceof ServiceUnavailableError) return failed(message, 'Check the network, and try again.');
  if (error instanceof QuarryError) return failed(message, 'See docs/aws.md.');
  return failed(`${name}: ${message}`, 'This is not expected: the message is the service’s own.');
}
