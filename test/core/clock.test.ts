import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Clock, createVirtualClock, systemClock } from '../../src/core/clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('every clock', () => {
  const clocks: [string, () => Clock][] = [
    ['the system clock', () => systemClock],
    ['a virtual clock', () => createVirtualClock()],
  ];

  test.each(clocks)('%s moves on by what was slept', async (_, create) => {
    const clock = create();
    const startMs = clock.now();
    await clock.sleep(15);
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(14);
  });

  test.each(clocks)('%s rejects a sleep that is aborted, with the reason', async (_, create) => {
    const controller = new AbortController();
    const sleep = create().sleep(60_000, controller.signal);
    controller.abort(new Error('stop'));
    await expect(sleep).rejects.toThrow('stop');
  });

  test.each(clocks)('%s rejects at once where the signal was aborted before', async (_, create) => {
    await expect(create().sleep(60_000, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  });

  test.each(clocks)('%s ignores an abort that comes after the sleep', async (_, create) => {
    const controller = new AbortController();
    const clock = create();
    await clock.sleep(1, controller.signal);
    controller.abort(new Error('too late'));
    await expect(clock.sleep(1)).resolves.toBeUndefined();
  });

  test.each(clocks)('%s moves on by a rest within busy work', async (_, create) => {
    const clock = create();
    const startMs = clock.now();
    await clock.busy(() => clock.rest(15));
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(14);
  });

  test.each(clocks)('%s passes on what busy work gives or throws', async (_, create) => {
    const clock = create();
    await expect(clock.busy(async () => 42)).resolves.toBe(42);
    const failing = clock.busy(async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
  });
});

describe('the system clock', () => {
  test('tells the time of the machine', () => {
    vi.useFakeTimers({ now: 1234 });
    expect(systemClock.now()).toBe(1234);
  });

  test('sleeps longer than the 24.8 days of one timer', async () => {
    vi.useFakeTimers();
    const dayMs = 86_400_000;
    let awake = false;
    const sleep = systemClock.sleep(60 * dayMs).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(60 * dayMs - 1);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await sleep;
    expect(awake).toBe(true);
  });

  test('leaves no timer behind after an abort, however long the sleep', async () => {
    vi.useFakeTimers();
    const controller = new AbortController();
    const sleep = systemClock.sleep(60 * 86_400_000, controller.signal);
    const rejection = expect(sleep).rejects.toThrow('stop');
    await vi.advanceTimersByTimeAsync(30 * 86_400_000);
    controller.abort(new Error('stop'));
    await rejection;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a virtual clock', () => {
  test('starts where it is told', () => {
    expect(createVirtualClock(5).now()).toBe(5);
    expect(createVirtualClock().now()).toBe(Date.UTC(2026, 0, 1));
  });

  test('wakes sleepers in the order of their time, and equal ones in the order they fell asleep', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -5, max: 20 }), { maxLength: 30 }), async (delays) => {
        const clock = createVirtualClock(0);
        const woken: { index: number; atMs: number }[] = [];
        await Promise.all(
          delays.map(async (ms, index) => {
            await clock.sleep(ms);
            woken.push({ index, atMs: clock.now() });
          }),
        );
        const expected = delays
          .map((ms, index) => ({ index, atMs: Math.max(0, ms) }))
          .toSorted((a, b) => a.atMs - b.atMs || a.index - b.index);
        expect(woken).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('lets what one sleeper starts finish before the next one wakes', async () => {
    const clock = createVirtualClock(0);
    const seen: string[] = [];
    const nap = async (name: string) => {
      await clock.sleep(10);
      seen.push(`${name} wakes`);
      await clock.busy(async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
      });
      seen.push(`${name} has worked`);
    };
    await Promise.all([nap('first'), nap('second')]);
    expect(seen).toEqual(['first wakes', 'first has worked', 'second wakes', 'second has worked']);
  });

  test('stands still while somebody is busy, and moves on afterwards', async () => {
    const clock = createVirtualClock(0);
    const sleep = clock.sleep(1000);
    await clock.busy(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(clock.now()).toBe(0);
    });
    await sleep;
    expect(clock.now()).toBe(1000);
  });

  test('stands still when work begins just before it would have moved', async () => {
    const clock = createVirtualClock(0);
    const sleep = clock.sleep(1000);
    // After the clock has planned its jump, and before it jumps.
    await new Promise((resolve) => setImmediate(resolve));
    await clock.busy(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(clock.now()).toBe(0);
    });
    await sleep;
    expect(clock.now()).toBe(1000);
  });

  test('never jumps to a sleeper that was aborted', async () => {
    const clock = createVirtualClock(0);
    const controller = new AbortController();
    const long = clock.sleep(1_000_000, controller.signal);
    const rejection = expect(long).rejects.toBe('over');
    await clock.sleep(10);
    controller.abort('over');
    await rejection;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(clock.now()).toBe(10);
  });
});
