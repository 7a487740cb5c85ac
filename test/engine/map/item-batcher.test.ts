import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ItemBatcher } from '../../../src/engine/definition/amazon-states-language.ts';
import { distributedMap, run } from '../run.ts';

describe('ItemBatcher', () => {
  const batch = async (ItemBatcher: ItemBatcher, items: unknown[], input: object = {}) => {
    const definition = distributedMap({ ItemBatcher, ItemsPath: '$.items' });
    return (await run(definition, { input: { items, ...input } })).result;
  };

  test('hands out MaxItemsPerBatch items at a time', async () => {
    expect(await batch({ MaxItemsPerBatch: 2 }, [1, 2, 3, 4, 5])).toMatchObject({
      output: [{ Items: [1, 2] }, { Items: [3, 4] }, { Items: [5] }],
    });
    expect(await batch({ MaxItemsPerBatchPath: '$.n' }, [1, 2, 3], { n: 3 })).toMatchObject({
      output: [{ Items: [1, 2, 3] }],
    });
  });

  test('adds BatchInput to every batch', async () => {
    const batcher = { MaxItemsPerBatch: 1, BatchInput: { 'shared.$': '$.shared', fixed: 1 } };
    expect(await batch(batcher, [1, 2], { shared: 's' })).toMatchObject({
      output: [
        { BatchInput: { shared: 's', fixed: 1 }, Items: [1] },
        { BatchInput: { shared: 's', fixed: 1 }, Items: [2] },
      ],
    });
  });

  test('never makes an input larger than MaxInputBytesPerBatch of more than one item, and leaves nothing out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 30 }),
        fc.integer({ min: 20, max: 200 }),
        async (items, maxBytes) => {
          const result = await batch({ MaxInputBytesPerBatch: maxBytes }, items);
          const batches = ('output' in result ? result.output : []) as { Items: string[] }[];
          expect(batches.flatMap(({ Items }) => Items)).toEqual(items);
          for (const [index, one] of batches.entries()) {
            const bytes = Buffer.byteLength(JSON.stringify(one));
            expect(one.Items.length === 1 || bytes <= maxBytes).toBe(true);
            const next = batches[index + 1];
            if (next === undefined) continue;
            const withOneMore = { Items: [...one.Items, next.Items[0]] };
            expect(Buffer.byteLength(JSON.stringify(withOneMore))).toBeGreaterThan(maxBytes);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
