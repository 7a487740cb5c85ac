import { prepareBatchLimit } from '../data/number-field.ts';
import { MAX_PAYLOAD_BYTES, payloadBytes } from '../data/payload.ts';
import { compileTemplate } from '../data/payload-template.ts';
import type { ItemBatcher } from '../definition/amazon-states-language.ts';
import { scopeOf, type Visit } from '../definition/prepared-state.ts';
import { inField } from '../state-error.ts';
import type { MapItem } from './map-items.ts';

/** What one child execution gets. */
export interface ChildInput {
  /** Of the child among its siblings, from 0. */
  childIndex: number;
  /** Of the first item in it. */
  itemIndex: number;
  itemCount: number;
  input: unknown;
}

/** Groups items into the children's inputs: `{ BatchInput, Items }`, or each item alone without an ItemBatcher. */
export function prepareItemBatcher(
  batcher: ItemBatcher | undefined,
): (items: Iterable<MapItem>, data: unknown, visit: Visit) => Iterable<ChildInput> {
  if (batcher === undefined) return singles;
  const maxItems = prepareBatchLimit(batcher, 'MaxItemsPerBatch');
  const maxBytes = prepareBatchLimit(batcher, 'MaxInputBytesPerBatch');
  const { BatchInput } = batcher;
  const batchInput =
    BatchInput === undefined
      ? undefined
      : inField('ItemBatcher.BatchInput', () => compileTemplate(BatchInput));
  return (items, data, visit) =>
    batches(items, {
      shared: batchInput === undefined ? {} : { BatchInput: batchInput(scopeOf(data, visit)) },
      maxItems: maxItems(data, visit) ?? Number.POSITIVE_INFINITY,
      maxBytes: maxBytes(data, visit) ?? MAX_PAYLOAD_BYTES,
    });
}

function* singles(items: Iterable<MapItem>): Generator<ChildInput> {
  for (const { index, input } of items) yield { childIndex: index, itemIndex: index, itemCount: 1, input };
}

/** A batch is closed before the item that would not fit. An item that fits nowhere has a batch of its own. */
function* batches(
  items: Iterable<MapItem>,
  { shared, maxItems, maxBytes }: { shared: object; maxItems: number; maxBytes: number },
): Generator<ChildInput> {
  const emptyBytes = payloadBytes({ ...shared, Items: [] });
  let childIndex = 0;
  let batch: MapItem[] = [];
  let bytes = emptyBytes;
  for (const item of items) {
    const itemBytes = payloadBytes(item.input) + 1;
    if (batch.length > 0 && (batch.length >= maxItems || bytes + itemBytes - 1 > maxBytes)) {
      yield toChildInput(childIndex, batch, shared);
      childIndex += 1;
      batch = [];
      bytes = emptyBytes;
    }
    batch.push(item);
    bytes += itemBytes;
  }
  if (batch.length > 0) yield toChildInput(childIndex, batch, shared);
}

function toChildInput(childIndex: number, batch: readonly MapItem[], shared: object): ChildInput {
  return {
    childIndex,
    itemIndex: batch[0]?.index ?? 0,
    itemCount: batch.length,
    input: { ...shared, Items: batch.map(({ input }) => input) },
  };
}
