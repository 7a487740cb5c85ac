import { expect, test } from 'vitest';
import { decideWave, modeOf } from '../../src/steps/dispatch.ts';

const part = (part_id: string, records: number) => ({
  part_id,
  first_row: 0,
  rows: 500,
  records,
  bytes: records,
});

test('the first wave has every prepared part, each run as its number of records allows', () => {
  const wave = decideWave({
    runUri: 's3://bucket/runs/r',
    wave: 0,
    prepared: [part('p00001', 500), part('p00002', 99), part('p00003', 0)],
    minRecordsPerJob: 100,
  });
  expect(wave.map(({ part_id, mode, wave: number, attempt }) => [part_id, mode, number, attempt])).toEqual([
    ['p00001', 'batch', 1, 1],
    ['p00002', 'on_demand', 1, 1],
    ['p00003', 'none', 1, 1],
  ]);
});

test('the minimum itself makes a job', () => {
  expect(modeOf(100, 100)).toBe('batch');
  expect(modeOf(99, 100)).toBe('on_demand');
});
