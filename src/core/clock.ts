/** Time as an argument: a 24-hour job takes milliseconds in a test. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason once it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs real work (files, HTTP, a query). A virtual clock stands still while any such work is under way. */
  busy<T>(work: () => Promise<T>): Promise<T>;
  /** Sleeps within busy work, and lets time pass meanwhile. One rest at a time for each busy work. */
  rest(ms: number): Promise<void>;
}

/** Milliseconds; a longer `setTimeout` fires at once (nodejs.org/api/timers.html). */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let timer: NodeJS.Timeout;
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const wait = (leftMs: number) => {
        timer = setTimeout(
          () => {
            if (leftMs > MAX_TIMEOUT_MS) return wait(leftMs - MAX_TIMEOUT_MS);
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
          Math.min(leftMs, MAX_TIMEOUT_MS),
        );
      };
      wait(ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  busy: (work) => work(),
  rest: (ms) => systemClock.sleep(ms),
};

interface Sleeper {
  wakeAt: number;
  wake: () => void;
}

/**
 * A clock that jumps to the next sleeper as soon as nobody is busy. Sleepers wake one at a time, in the order
 * of their time, and whatever they start may finish before the next one wakes.
 */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): Clock {
  // In the order in which they wake; of equal ones, the first to have fallen asleep is first.
  const sleepers: Sleeper[] = [];
  let nowMs = startMs;
  let busyCount = 0;
  let scheduled = false;

  // Two turns of the event loop let settled promises run on before time moves.
  const schedule = () => {
    if (scheduled || busyCount > 0 || sleepers.length === 0) return;
    scheduled = true;
    setImmediate(() => setImmediate(advance));
  };
  const advance = () => {
    scheduled = false;
    if (busyCount > 0) return;
    const next = sleepers.shift();
    if (next === undefined) return;
    nowMs = Math.max(nowMs, next.wakeAt);
    next.wake();
    schedule();
  };

  const sleep: Clock['sleep'] = (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        wakeAt: nowMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      insert(sleepers, sleeper);
      schedule();
    });

  return {
    now: () => nowMs,
    sleep,
    busy: async (work) => {
      busyCount += 1;
      try {
        return await work();
      } finally {
        busyCount -= 1;
        schedule();
      }
    },
    rest: async (ms) => {
      busyCount -= 1;
      try {
        await sleep(ms);
      } finally {
        busyCount += 1;
      }
    },
  };
}

/** Keeps the order. Most sleepers are the last to wake, or nearly. */
function insert(sleepers: Sleeper[], sleeper: Sleeper): void {
  let low = 0;
  let high = sleepers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sleepers[middle] as Sleeper).wakeAt <= sleeper.wakeAt) low = middle + 1;
    else high = middle;
  }
  if (low === sleepers.length) sleepers.push(sleeper);
  else sleepers.splice(low, 0, sleeper);
}
