import type { Clock } from '../core/clock.ts';
import { TransientHubFault } from './hub-retry.ts';

/** What the watched work is given. */
export interface StallWatch {
  /** Aborted when the work has stalled, or was aborted from outside. */
  signal: AbortSignal;
  /** Says that something came. */
  alive: () => void;
}

/** When a watch gives up. */
export interface StallWatchOptions {
  clock: Clock;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Runs `work`, and aborts it with a TransientHubFault once it has said nothing for one to two times `timeoutMs`. */
export async function watchForStall<T>(
  work: (watch: StallWatch) => Promise<T>,
  { clock, timeoutMs, signal }: StallWatchOptions,
): Promise<T> {
  const stalled = new AbortController();
  const finished = new AbortController();
  let lastAtMs = clock.now();
  const watch = async () => {
    for (;;) {
      await clock.sleep(timeoutMs, finished.signal);
      if (clock.now() - lastAtMs >= timeoutMs) {
        stalled.abort(
          new TransientHubFault(`The connection stood still for ${Math.round(timeoutMs / 1000)} seconds.`),
        );
        return;
      }
    }
  };
  // The watch ends by the abort of its sleep.
  const watching = watch().catch(() => {});
  try {
    return await clock.busy(() =>
      work({
        signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
        alive: () => {
          lastAtMs = clock.now();
        },
      }),
    );
  } finally {
    finished.abort();
    await watching;
  }
}
