import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';

/** The path of a page that a user names, of a report say; refused before anything is read where none could be there. */
export async function placeOfPage(output: string, what: string): Promise<string> {
  if (!/\.html?$/i.test(output)) {
    throw new InvalidRunInputError(
      `The ${what} is one HTML file, and "${output}" does not end in .html. Name a file such as ${what}.html.`,
    );
  }
  const path = resolve(output);
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InvalidRunInputError(`The ${what} cannot be put into "${output}": ${error.message}.`, {
      cause: error,
    });
  });
  if (stats?.isDirectory()) {
    throw new InvalidRunInputError(
      `"${output}" is a folder. Name a file for the ${what}, such as ${what}.html.`,
    );
  }
  return path;
}

/** Writes a page in place of what is there: whole, or not at all. */
export async function writePage(
  path: string,
  page: string,
  { what, given }: { what: string; given: string },
): Promise<void> {
  const unfinished = join(dirname(path), `.quarry-${process.pid}-${basename(path).slice(0, 100)}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(unfinished, page);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw (
      diskFaultOf(error, given) ??
      new InvalidRunInputError(`The ${what} cannot be put into "${given}": ${(error as Error).message}.`, {
        cause: error,
      })
    );
  }
}
