import { membersOf } from '../../core/text/json-members.ts';

/** The fields of a JSON object in the order of the file: key, and value as text; null is null. */
export type SpelledField = [key: string, value: string | null];

/** A key that JavaScript's objects put before all others, whatever its place. */
const INDEX_KEY = /^(?:0|[1-9]\d*)$/;

/** The object's keys in the order of the file. `text` is what it was parsed from. */
export function keysOf(object: Record<string, unknown>, text: string): Iterable<string> {
  for (const key in object) {
    // All such keys come first.
    return INDEX_KEY.test(key) ? membersOf(text).keys() : Object.keys(object);
  }
  return [];
}

/**
 * Every key of an object and its value as text: strings as they are, but that a lone surrogate becomes U+FFFD, and anything
 * else as it is spelled (DuckDB would make 1.5 of 1.50).
 */
export function spelledFields(object: Record<string, unknown>, text: string): SpelledField[] {
  const entries = Object.entries(object);
  const spelled = entries.some(([, value]) => typeof value === 'number' || typeof value === 'object')
    ? membersOf(text)
    : undefined;
  return entries.map(([key, value]) => {
    if (typeof value === 'string') return [key, value.toWellFormed()];
    if (value === null) return [key, null];
    return [key, spelled?.get(key) ?? String(value)];
  });
}
