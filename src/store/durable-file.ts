import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What file systems say that cannot sync a folder, or may not: then the name of a new file is theirs to keep. */
const CANNOT_SYNC = ['EISDIR', 'EINVAL', 'EPERM', 'EACCES', 'ENOTSUP'];

/** Puts a file's bytes on the disk: whatever then relies on them finds them after a loss of power. */
export async function syncFile(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.datasync();
}

/** Puts the names in a folder on the disk. */
export async function syncFolder(path: string): Promise<void> {
  try {
    await using folder = await open(path, 'r');
    await folder.sync();
  } catch (error) {
    if (!CANNOT_SYNC.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Makes a folder and those above it, and puts the names of the new ones on the disk; false where it was there. */
export async function makeFolder(path: string): Promise<boolean> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return false;
  const top = dirname(first);
  for (let folder = dirname(path); folder.length >= top.length; folder = dirname(folder)) {
    await syncFolder(folder);
    if (folder === dirname(folder)) return true;
  }
  return true;
}
