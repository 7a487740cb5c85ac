import pLimit from 'p-limit';

/** What `read` gives for each item, in order; `ahead` of them are read at once. */
export async function* inTurn<Item, Found>(
  items: readonly Item[],
  read: (item: Item) => Promise<Found>,
  ahead: number,
): AsyncGenerator<[Item, Found]> {
  const limit = pLimit(ahead);
  const reading: (Promise<Found> | undefined)[] = [];
  const begin = (item: Item | undefined): void => {
    if (item === undefined) return;
    const found = limit(() => read(item));
    // Should an earlier one fail first, this one's failure is of no interest.
    found.catch(() => {});
    reading.push(found);
  };
  for (const item of items.slice(0, ahead)) begin(item);
  try {
    for (const [index, item] of items.entries()) {
      const found = await (reading[index] as Promise<Found>);
      // Not held any longer: of many items, each may be large.
      reading[index] = undefined;
      yield [item, found];
      begin(items[index + ahead]);
    }
  } finally {
    await Promise.allSettled(reading);
  }
}
