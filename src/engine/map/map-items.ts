import { compileExpression, compileTemplate, notFoundIn } from '../data/payload-template.ts';
import type { MapState } from '../definition/amazon-states-language.ts';
import { type ContextObject, scopeOf, type Visit } from '../definition/prepared-state.ts';
import { excerpt, inField, runtimeError } from '../state-error.ts';

/** An item of a Map, and what its iteration gets for it. */
export interface MapItem {
  index: number;
  value: unknown;
  /** The item itself, or what ItemSelector makes of it. */
  input: unknown;
}

/** The array that ItemsPath leads to; the whole input unless given. */
export function prepareItemsPath(state: MapState): (data: unknown, visit: Visit) => readonly unknown[] {
  const path = state.ItemsPath ?? '$';
  const expression = inField('ItemsPath', () => compileExpression(path, notFoundIn('ItemsPath')));
  return (data, visit) => {
    const items = expression(scopeOf(data, visit));
    if (!Array.isArray(items))
      throw runtimeError(`The ItemsPath '${path}' must lead to an array, and leads to '${excerpt(items)}'`);
    return items;
  };
}

/** Gives each item to ItemSelector, whose `$` is the Map's input. */
export function prepareItemSelector(
  state: MapState,
): (items: Iterable<unknown>, data: unknown, visit: Visit) => Iterable<MapItem> {
  const { ItemSelector } = state;
  const selector =
    ItemSelector === undefined ? undefined : inField('ItemSelector', () => compileTemplate(ItemSelector));
  return function* (items, data, visit) {
    const scope = scopeOf(data, visit);
    let index = 0;
    for (const value of items) {
      const context = { ...visit.context, ...itemContext(index, value) };
      yield { index, value, input: selector === undefined ? value : selector({ ...scope, context }) };
      index += 1;
    }
  };
}

/** `$$.Map` for one item. */
export function itemContext(index: number, value: unknown): Pick<ContextObject, 'Map'> {
  return { Map: { Item: { Index: index, Value: value } } };
}
