import { createHash } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { bytesOf, cutAt, startWorld } from './download-world.ts';
import type { HubFault } from './hub-double.ts';

const BIG = bytesOf(300_000);

describe('connections that break', () => {
  test('a cut connection is continued from the bytes that are there', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const onProgress = cutAt(world.hub, [100_000, 200_000]);
    const [object] = await world.download({ onProgress });
    expect(Buffer.from(await world.store.read(object?.uri ?? 's3://bucket/none'))).toEqual(BIG);
    const [first, second, third] = world.fileRequests();
    expect(first?.headers.range).toBeUndefined();
    const etag = `"${createHash('md5').update(BIG).digest('hex')}"`;
    expect(second?.headers).toMatchObject({ range: 'bytes=100000-', 'if-range': etag });
    expect(third?.headers).toMatchObject({ range: 'bytes=200000-', 'if-range': etag });
    // Each attempt asks the Hub anew: the signed link may have expired.
    expect(world.hub.seen.filter(({ path }) => path.includes('/resolve/'))).toHaveLength(3);
  });

  test.each<[string, HubFault]>([
    ['ends early without saying so', { kind: 'short', afterBytes: 100_000 }],
    ['comes in pieces', { kind: 'slow', chunkBytes: 50_000, pauseMs: 1 }],
    ['is of the wrong range', { kind: 'wrong_range' }],
  ])('a body that %s arrives whole all the same', async (_, fault) => {
    await using world = await startWorld({ 'train.parquet': BIG });
    if (fault.kind === 'wrong_range') world.hub.fail(/^cdn/, { kind: 'cut', afterBytes: 1000 });
    world.hub.fail(/^cdn/, fault);
    const [object] = await world.download();
    expect(Buffer.from(await world.store.read(object?.uri ?? 's3://bucket/none'))).toEqual(BIG);
  });

  test('a server that does not continue sends it from the start', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const onProgress = cutAt(world.hub, [100_000]);
    world.hub.fail(/^cdn/, { kind: 'ignore_range' });
    const [object] = await world.download({ onProgress });
    expect(Buffer.from(await world.store.read(object?.uri ?? 's3://bucket/none'))).toEqual(BIG);
  });

  test('a body that stands still is given up for a new connection', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/^cdn/, { kind: 'stall', afterBytes: 100_000 });
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 50), signal),
    };
    const [object] = await world.download({ access: { clock, stallTimeoutMs: 50 } });
    expect(Buffer.from(await world.store.read(object?.uri ?? 's3://bucket/none'))).toEqual(BIG);
    expect(world.fileRequests().length).toBeGreaterThan(1);
  });

  test('a call that was broken off is continued by the next one', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const stop = new AbortController();
    world.hub.fail(/^cdn/, { kind: 'stall', afterBytes: 100_000 });
    const first = world.download({
      signal: stop.signal,
      onProgress: ({ doneBytes }) => {
        if (doneBytes === 100_000) stop.abort(new Error('closed the lid'));
      },
    });
    await expect(first).rejects.toThrow('closed the lid');
    const [object] = await world.download();
    expect(Buffer.from(await world.store.read(object?.uri ?? 's3://bucket/none'))).toEqual(BIG);
    expect(world.fileRequests().at(-1)?.headers).toMatchObject({ range: 'bytes=100000-' });
  });

  test.each([
    ['as many', 100_000],
    ['all, and more', 400_000],
    ['exactly as many as the file has', 300_000],
  ])('leftovers of something else, %s bytes, do no harm', async (_, count) => {
    await using world = await startWorld({ 'train.parquet': BIG });
    await world.download({ signal: AbortSignal.abort(new Error('not yet')) }).catch(() => {});
    world.hub.fail(/^cdn/, { kind: 'stall', afterBytes: 10 });
    const stop = new AbortController();
    await world
      .download({
        signal: stop.signal,
        onProgress: ({ doneBytes }) => doneBytes === 10 && stop.abort(new Error('stop')),
      })
      .catch(() => {});
    const [name = ''] = await readdir(world.scratchDirectory);
    await writeFile(join(world.scratchDirectory, name), bytesOf(count, 'other'));
    const [object] = await world.download();
    expect(Buffer.from(await world.store.read(object?.uri ?? 's3://bucket/none'))).toEqual(BIG);
  });

  test('a connection that brings a megabyte each time may break as often as it likes', async () => {
    const body = bytesOf(10 * 1024 ** 2);
    await using world = await startWorld({ 'train.parquet': body });
    const points = Array.from({ length: 9 }, (_, i) => (i + 1) * (1024 ** 2 + 1));
    const [object] = await world.download({ onProgress: cutAt(world.hub, points) });
    expect(object?.size).toBe(body.length);
    expect(world.fileRequests()).toHaveLength(10);
  });

  test('a server that never gets further is given up, even if it sends megabytes each time', async () => {
    await using world = await startWorld({ 'train.parquet': bytesOf(3 * 1024 ** 2) });
    const cut: HubFault = { kind: 'short', afterBytes: 2 * 1024 ** 2 };
    const access = {
      // No ranges, and every time only the first two megabytes.
      fetch: ((url, init) => {
        const headers = new Headers(init?.headers);
        headers.delete('range');
        return fetch(url, { ...init, headers });
      }) as typeof fetch,
    };
    world.hub.fail(/^cdn/, cut, 99);
    await expect(world.download({ access })).rejects.toMatchObject({
      name: 'ServiceUnavailableError',
      message: expect.stringContaining('ended after 2097152 of 3145728 bytes'),
    });
    expect(world.fileRequests()).toHaveLength(6);
  });
});

describe('a file that is not the listed one', () => {
  const refusal = {
    name: 'InvalidDatasetError',
    message: expect.stringContaining('is not the file that was listed'),
  };

  test.each([
    ['shorter', bytesOf(200_000)],
    ['longer', bytesOf(400_000)],
    ['of other bytes', bytesOf(300_000, 'other')],
  ])('is refused when it is %s, and nothing is stored', async (_, body) => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.tamper('o/d', 'train.parquet', body);
    await expect(world.download()).rejects.toMatchObject(refusal);
    const stored: unknown[] = [];
    for await (const object of world.store.list('s3://bucket/')) stored.push(object);
    expect(stored).toEqual([]);
  });

  test('is refused when it is longer and no length is given', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.tamper('o/d', 'train.parquet', bytesOf(400_000));
    world.hub.fail(/^cdn/, { kind: 'short', afterBytes: 400_000 });
    await expect(world.download()).rejects.toThrow('it has more than the listed 300000 bytes');
  });

  test('is refused when it changes while it is downloaded', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    const onCut = cutAt(world.hub, [100_000]);
    const download = world.download({
      onProgress: (progress) => {
        if (progress.doneBytes === 100_000) world.hub.tamper('o/d', 'train.parquet', bytesOf(300_000, 'new'));
        onCut(progress);
      },
    });
    await expect(download).rejects.toMatchObject(refusal);
  });

  test.each([
    [{ 'x-linked-etag': '"beef"' }, 'the Hub now gives it the hash beef'],
    [{ 'x-repo-commit': 'f'.repeat(40) }, `the Hub served it from commit ${'f'.repeat(40)}`],
  ])('is refused by what the Hub says of it: %j', async (headers, message) => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/resolve/, { kind: 'replace', body: '', headers });
    await expect(world.download()).rejects.toThrow(message);
  });

  test('is refused when it has gone', async () => {
    await using world = await startWorld({ 'train.parquet': BIG });
    world.hub.fail(/resolve/, { kind: 'status', status: 404, headers: { 'x-error-code': 'EntryNotFound' } });
    await expect(world.download()).rejects.toThrow(/is listed at revision .* but cannot be downloaded/);
    world.hub.fail(/^cdn/, { kind: 'status', status: 404 });
    await expect(world.download()).rejects.toThrow(/answered 404 for \/train\.parquet/);
  });
});
