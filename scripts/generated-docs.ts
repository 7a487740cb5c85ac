import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of which all or some is made from the sources. */
export interface GeneratedDoc {
  /** From the repository's root. */
  path: string;
  /** The file's text as it should be; `current` is what it is, empty where there is no file. */
  render(current: string): string;
}

/** The text with whatever stands between the marker lines of `name` replaced. */
export function replaceMarked(current: string, name: string, content: string): string {
  const begin = `<!-- begin generated: ${name} -->`;
  const end = `<!-- end generated: ${name} -->`;
  const start = current.indexOf(begin);
  const stop = current.indexOf(end, start);
  if (start === -1 || stop === -1) throw new Error(`There are no lines "${begin}" and "${end}".`);
  return `${current.slice(0, start + begin.length)}\n${content.trim()}\n${current.slice(stop)}`;
}

/** Paths of the files that are not as they should be; writes them unless `check` is set. */
export async function updateDocs(
  docs: readonly GeneratedDoc[],
  { root, check }: { root: string; check: boolean },
): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, render } of docs) {
    const file = join(root, path);
    const current = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    const wanted = render(current);
    if (wanted === current) continue;
    stale.push(path);
    if (!check) await writeFile(file, wanted);
  }
  return stale;
}
