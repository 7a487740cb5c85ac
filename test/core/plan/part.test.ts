import { expect, test } from 'vitest';
import { toWaveItem, type WavePart } from '../../../src/core/plan/part.ts';

test('an item of a wave names its part, says whether it repairs others, and leaves their list in the store', () => {
  const turn = { part_id: 'w002-p00001', run_uri: 's3://b/runs/r/' };
  const part = (sources: object[]) => ({ ...turn, sources }) as unknown as WavePart;
  expect(toWaveItem(part([{ part_id: 'p00001' }]))).toEqual({ ...turn, repair: true });
  expect(toWaveItem(part([]))).toEqual({ ...turn, repair: false });
});
