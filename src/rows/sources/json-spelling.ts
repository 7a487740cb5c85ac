/** The fields of a JSON object in the order of the file: key, and value as text; null is null. */
export type SpelledField = [key: string, value: string | null];

/** A key that JavaScript's objects put before all others, whatever its place. */
const INDEX_KEY = /^(?:0|[1-9]\d*)$/;

/** The object's keys in the order of the file. `text` is what it was parsed from. */
export function keysOf(object: Record<string, unknown>, text: string): Iterable<string> {
  for (const key in object) {
    // All such keys come first.
    return INDEX_KEY.test(key) ? spellingsOf(text).keys() : Object.keys(object);
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
    ? spellingsOf(text)
    : undefined;
  return entries.map(([key, value]) => {
    if (typeof value === 'string') return [key, value.toWellFormed()];
    if (value === null) return [key, null];
    return [key, spelled?.get(key) ?? String(value)];
  });
}

/** The JSON text of every value of an object's own keys. `text` is known to be sound JSON. */
function spellingsOf(text: string): Map<string, string> {
  const spellings = new Map<string, string>();
  let at = text.indexOf('{') + 1;
  for (;;) {
    const keyStart = text.indexOf('"', at);
    if (keyStart === -1) return spellings;
    const keyEnd = endOfString(text, keyStart);
    const valueStart = text.indexOf(':', keyEnd) + 1;
    const valueEnd = endOfValue(text, valueStart);
    const quoted = text.slice(keyStart, keyEnd);
    const key: string = quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
    spellings.set(key, text.slice(valueStart, valueEnd).trim());
    at = valueEnd + 1;
  }
}

/** Index after the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  for (;;) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
}

/** Index of the comma or brace that ends the value at `start`. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; ) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        continue;
      case '{':
      case '[':
        depth += 1;
        break;
      case '}':
      case ']':
        if (depth === 0) return at;
        depth -= 1;
        break;
      case ',':
        if (depth === 0) return at;
        break;
    }
    at += 1;
  }
}
