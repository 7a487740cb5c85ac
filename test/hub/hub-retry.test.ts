import { describe, expect, test } from 'vitest';
import { createVirtualClock } from '../../src/core/clock.ts';
import { resolveHubDataset } from '../../src/hub/resolve-dataset.ts';
import { bytesOf, startWorld } from './download-world.ts';
import { startHubDouble } from './hub-double.ts';
import { accessTo, requestFor } from './hub-fixture.ts';

const BIG = bytesOf(300_000);

describe('waiting', () => {
  /** A clock in virtual time that notes its waits of a second and more. */
  const notingClock = () => {
    const clock = createVirtualClock();
    const waitsMs: number[] = [];
    return {
      waitsMs,
      clock: {
        ...clock,
        sleep: (ms: number, signal?: AbortSignal) => {
          if (ms !== 60_000) waitsMs.push(ms);
          return clock.sleep(ms, signal);
        },
      },
    };
  };

  test.each<[string, Record<string, string>, number]>([
    ['Retry-After in seconds', { 'retry-after': '42' }, 42_250],
    [
      'Retry-After as a date',
      { 'retry-after': new Date(Date.UTC(2026, 0, 1, 0, 0, 30)).toUTCString() },
      30_250,
    ],
    ["the Hub's RateLimit header", { ratelimit: '"resolvers";r=0;t=55' }, 55_250],
    ['nothing', {}, 750],
  ])('429 with %s waits as long, and a jitter', async (_, headers, expected) => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/resolve/, { kind: 'status', status: 429, headers });
    const { clock, waitsMs } = notingClock();
    await world.download({ access: { clock } });
    expect(waitsMs).toEqual([expected]);
  });

  test('waits double, and end in ServiceUnavailableError after six attempts', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/resolve/, { kind: 'status', status: 503 }, 99);
    const { clock, waitsMs } = notingClock();
    const told: string[] = [];
    const onWait = (message: string) => told.push(message);
    await expect(world.download({ access: { clock, random: () => 0, onWait } })).rejects.toMatchObject({
      name: 'ServiceUnavailableError',
      retryable: true,
      message: `${world.hub.endpoint} answered 503. Gave up after 6 attempts. Try again later: what was downloaded is kept.`,
    });
    expect(waitsMs).toEqual([500, 1000, 2000, 4000, 8000]);
    // Whoever waits is told why, before each wait.
    expect(told).toEqual(
      [1, 1, 2, 4, 8].map(
        (seconds, index) =>
          `${world.hub.endpoint} answered 503. Trying again in ${seconds} s (attempt ${index + 2} of 6).`,
      ),
    );
  });

  test('a Retry-After beyond ten minutes is not waited for', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/resolve/, { kind: 'status', status: 429, headers: { 'retry-after': '86400' } });
    await expect(world.download()).rejects.toThrow(/Gave up after 1 attempt\. It asks to wait 86400 seconds/);
  });

  test('a signed link that has expired is asked for again', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/^cdn/, { kind: 'status', status: 403 });
    expect(await world.download()).toHaveLength(1);
  });

  test('a listing whose connection is cut is asked for again', async () => {
    await using hub = await startHubDouble({ 'o/d': { files: { 'train.csv': 'a\n' } } });
    hub.fail(/tree/, { kind: 'cut', afterBytes: 20 });
    expect((await resolveHubDataset(requestFor('o/d'), accessTo(hub))).files).toHaveLength(1);
  });

  test('a Hub that is not there is ServiceUnavailableError, with the reason', async () => {
    const hub = await startHubDouble({});
    await hub[Symbol.asyncDispose]();
    await expect(resolveHubDataset(requestFor('o/d'), accessTo(hub))).rejects.toMatchObject({
      name: 'ServiceUnavailableError',
      message: expect.stringMatching(/could not be reached: .*ECONNREFUSED/),
    });
  });
});
