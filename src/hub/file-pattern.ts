import { hiddenBelow } from '../core/passed-over.ts';

/** Files that are never data, unless a pattern names them. As the `datasets` library has it. */
const NOT_DATA = new Set([
  'README.md',
  'config.json',
  'dataset_info.json',
  'dataset_infos.json',
  'dummy_data.zip',
  'dataset_dict.json',
]);

/**
 * The paths that a `data_files` pattern of a dataset card means, in the order given.
 *
 * `*` and `?` stay within a folder, `**` goes through folders, `[ab]` and `[!ab]` are one character. Names that
 * begin with `.` or `_` match only where the pattern has as many of them. The libraries for globs have braces and
 * extended globs, which are plain text here, and no `**` beside other text; picomatch 4.0.7 never ends on `*\\\\\\\\`, and a
 * card is a stranger's.
 * https://huggingface.co/docs/datasets/repository_structure
 */
export function matchPattern(pattern: string, paths: readonly string[]): string[] {
  const clean = pattern.replace(/^(?:\.\/)+/, '').replace(/\/{2,}/g, '/');
  const expression = toExpression(clean);
  const asked = clean.split('/');
  const named = asked.at(-1) ?? '';
  return paths.filter((path) => {
    if (!expression.test(path)) return false;
    const parts = path.split('/');
    const name = parts.at(-1) ?? '';
    return (name === named || !NOT_DATA.has(name)) && hiddenParts(parts) === hiddenParts(asked);
  });
}

/** True where a pattern can match more than the one path that it spells. */
export function isGlob(pattern: string): boolean {
  return /[*?[]/.test(pattern);
}

function hiddenParts(parts: readonly string[]): number {
  return parts.filter((part) => !/^\.+$/.test(part) && hiddenBelow(part) !== undefined).length;
}

function toExpression(pattern: string): RegExp {
  const tokens = pattern.match(/\*\*\/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|[^*?[]+|\[/g) ?? [];
  let source = '';
  let startsFolder = true;
  for (const token of tokens) {
    // `**/` stands for any number of folders, none included; elsewhere `**` is any text at all.
    if (token === '**/' && startsFolder) source += '(?:[^/]+/)*';
    else if (token === '**/') source += '.*/';
    else if (token === '**') source += '.*';
    else if (token === '*') source += '[^/]*';
    else if (token === '?') source += '[^/]';
    else if (token.startsWith('[') && token.length > 1) source += toCharacterClass(token);
    else source += RegExp.escape(token);
    startsFolder = token.endsWith('/');
  }
  return new RegExp(`^${source}$`, 's');
}

/** One character of a set. A range from a later character to an earlier one has none, as in Python. */
function toCharacterClass(token: string): string {
  const negated = /^\[[!^]/.test(token);
  const body = token.slice(negated ? 2 : 1, -1);
  if (body === '') return RegExp.escape(token);
  const set = body.replaceAll(/(.)-(.)|./gs, (one, from: string | undefined, to: string | undefined) => {
    if (from === undefined || to === undefined) return escapeInClass(one);
    return from > to ? '' : `${escapeInClass(from)}-${escapeInClass(to)}`;
  });
  if (set === '') return negated ? '[^/]' : '(?!)';
  return negated ? `[^/${set}]` : `(?!/)[${set}]`;
}

function escapeInClass(character: string): string {
  return character.replace(/[\\\][^&~|-]/, '\\$&');
}
