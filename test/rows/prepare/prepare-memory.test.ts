import { expect, test } from 'vitest';
import { prepareMemoryFor } from '../../../src/rows/prepare/prepare-memory.ts';

test.each([
  [0, { memoryMb: 512, partsAtOnce: 2 }],
  [2_000, { memoryMb: 512, partsAtOnce: 2 }],
  [10_000, { memoryMb: 1_024, partsAtOnce: 2 }],
  [100_000, { memoryMb: 1_024, partsAtOnce: 1, rowsAtOnce: 320 }],
  [40_000_000, { memoryMb: 1_024, partsAtOnce: 1, rowsAtOnce: 1 }],
])('Parquet rows of %i bytes have the memory that they need', (rowBytes, memory) => {
  expect(prepareMemoryFor(rowBytes)).toEqual(memory);
});
