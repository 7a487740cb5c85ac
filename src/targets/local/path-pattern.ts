import { glob, stat } from 'node:fs/promises';
import { join, parse, resolve, sep } from 'node:path';
import { hiddenBelow, type PassedOver } from '../../core/passed-over.ts';

/** A path that may be a pattern: folders that are there by their very names, and what is left. */
export interface PathPattern {
  folder: string;
  pattern: string;
}

/** What a path stands for as a pattern; undefined where nothing of it that is not there can be one. */
export async function parsePathPattern(path: string): Promise<PathPattern | undefined> {
  const whole = resolve(path);
  const { root } = parse(whole);
  const segments = whole.slice(root.length).split(sep);
  let folder = root;
  while (await is('isDirectory', join(folder, segments[0] ?? ''))) {
    folder = join(folder, segments.shift() ?? '');
  }
  const pattern = segments.join('/');
  return /[*?[{]/.test(pattern) ? { folder, pattern } : undefined;
}

/** The files below its folder that match a pattern, by name; hidden ones only where it has such a name itself. */
export async function matchesOf({ folder, pattern }: PathPattern, passedOver: PassedOver): Promise<string[]> {
  const asksForHidden = hiddenBelow(pattern) !== undefined;
  const found: string[] = [];
  for await (const match of glob(pattern, { cwd: folder })) {
    if (!(await is('isFile', join(folder, match)))) continue;
    const hidden = asksForHidden ? undefined : hiddenBelow(match);
    if (hidden === undefined) found.push(match);
    else passedOver.add(hidden);
  }
  return found.sort();
}

async function is(what: 'isFile' | 'isDirectory', path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.[what]() ?? false;
}
