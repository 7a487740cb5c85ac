import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Deletes what dead processes left in a folder: files whose names the pattern takes, its first group being the process. */
export async function sweepUnfinished(folder: string, pattern: RegExp): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const pid = pattern.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    // Of another user, perhaps: it is in nobody's way.
    await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

/** One of another user is there, too, and an id that is used again passes for the one of before. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
