/** What a key has to be like: `*` and `?` within a folder, `[a-z]` and `[!a-z]` for one character, `**` for any folders. */
export interface KeyPattern {
  /** What every key of it starts with: whole folders. */
  folder: string;
  /** What is left of it below them. */
  names: string;
  /** Whether it is of a key without that folder at its beginning. */
  matches(name: string): boolean;
}

/** One character of a segment: itself, any one, any number of them, or one of a set. */
type Token = { kind: 'one'; matches: (character: string) => boolean } | { kind: 'many' };

const TOKENS = /\*+|\?|\[(?<negated>[!^]?)(?<set>\]?[^\]]*)\]|[\s\S]/gu;

/** The pattern that a key stands for; undefined where it has nothing of one. */
export function parseKeyPattern(text: string): KeyPattern | undefined {
  const first = text.search(/[*?[]/);
  if (first < 0) return undefined;
  const folder = text.slice(0, text.lastIndexOf('/', first) + 1);
  const names = text.slice(folder.length);
  const pattern = names.split('/').map((segment) => (segment === '**' ? 'any folders' : tokensOf(segment)));
  return {
    folder,
    names,
    matches: (name) =>
      matchesAll(pattern, name.split('/'), {
        isMany: (segment) => segment === 'any folders',
        matchesOne: (segment, part) => segment !== 'any folders' && matchesSegment(segment, part),
      }),
  };
}

function tokensOf(segment: string): Token[] {
  return [...segment.matchAll(TOKENS)].map(({ 0: token, groups }): Token => {
    if (token.startsWith('*')) return { kind: 'many' };
    if (token === '?') return { kind: 'one', matches: () => true };
    if (groups?.set !== undefined) {
      const isIn = setOf(groups.set);
      return { kind: 'one', matches: groups.negated === '' ? isIn : (character) => !isIn(character) };
    }
    return { kind: 'one', matches: (character) => character === token };
  });
}

/** `a-z0-9_`: single characters, and ranges of them. */
function setOf(set: string): (character: string) => boolean {
  const ranges = [...set.matchAll(/(.)-(.)|(.)/gsu)].map(([, from, to, one = '']): [string, string] => [
    from ?? one,
    to ?? one,
  ]);
  return (character) => ranges.some(([from, to]) => from <= character && character <= to);
}

function matchesSegment(tokens: readonly Token[], segment: string): boolean {
  return matchesAll(tokens, [...segment], {
    isMany: ({ kind }) => kind === 'many',
    matchesOne: (token, character) => token.kind === 'one' && token.matches(character),
  });
}

/**
 * Whether items are those that a pattern says, in which some of it stands for any number of them. Only the last such place
 * is ever tried anew, so that it takes no more steps than pattern times items, whatever the two are.
 */
function matchesAll<P, T>(
  pattern: readonly P[],
  items: readonly T[],
  { isMany, matchesOne }: { isMany: (part: P) => boolean; matchesOne: (part: P, item: T) => boolean },
): boolean {
  let [at, item] = [0, 0];
  let retry: { at: number; item: number } | undefined;
  while (item < items.length) {
    const part = pattern[at];
    if (part !== undefined && isMany(part)) {
      at += 1;
      retry = { at, item };
    } else if (part !== undefined && matchesOne(part, items[item] as T)) {
      at += 1;
      item += 1;
    } else if (retry !== undefined) {
      retry = { at: retry.at, item: retry.item + 1 };
      ({ at, item } = retry);
    } else {
      return false;
    }
  }
  return pattern.slice(at).every(isMany);
}
