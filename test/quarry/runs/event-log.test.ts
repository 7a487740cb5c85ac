import { expect, test } from 'vitest';
import { createEventLog } from '../../../src/quarry/runs/event-log.ts';

test('the first reader gets what came before it, a later one what comes from then on', async () => {
  const log = createEventLog<number>();
  log.push(1);
  log.push(2);
  const first = Array.fromAsync(log.read());
  const later = Array.fromAsync(log.read());
  log.push(3);
  log.close();
  expect(await first).toEqual([1, 2, 3]);
  expect(await later).toEqual([3]);
  expect(await Array.fromAsync(log.read())).toEqual([]);
});

test('of events that nobody reads, only the last ten thousand are kept', async () => {
  const log = createEventLog<number>();
  for (let event = 1; event <= 25_000; event += 1) log.push(event);
  log.close();
  const events = await Array.fromAsync(log.read());
  expect(events).toHaveLength(10_000);
  expect(events.at(0)).toBe(15_001);
  expect(events.at(-1)).toBe(25_000);
});
