import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** True where disks can be mounted: that needs root, and a system that has tmpfs. */
export const canMount = (() => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    execFileSync('umount', ['/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** A disk of its own, of a size as `mount` writes it (`64k`, `64m`), which a test may let grow or protect. */
export async function mountDisk(size: string) {
  const path = await mkdtemp(join(tmpdir(), 'quarry-disk-'));
  const mount = (options: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  mount(`size=${size}`);
  onTestFinished(() => void execFileSync('umount', ['-l', path]));
  return { path, remount: (options: string) => mount(`remount,${options}`) };
}
