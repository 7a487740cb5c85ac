import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { identifyThisProcess, ProcessIdentity, presenceOf } from './process-identity.ts';

/** Milliseconds after which a lock of a process that cannot be seen from here is nobody's: it is held for less than one. */
const UNSEEN_MS = 60_000;

/**
 * Does `work` for the one process that may make something of a file's present state; undefined where another one does.
 *
 * `base` stands for that state and no other. A file of that name says who has it; where that process is dead, the next
 * file of the row decides who comes after it. `work` has to look whether the state is still the present one, and must be
 * synchronous, so that nothing comes between the look and the deed.
 */
export async function withVersionLock<T>(base: string, work: () => T): Promise<T | undefined> {
  const identity = await identifyThisProcess();
  for (let turn = 0; ; turn += 1) {
    const lock = `${base}-${turn}`;
    const draft = `${lock}-${process.pid}-${process.hrtime.bigint().toString(36)}`;
    writeFileSync(draft, JSON.stringify(identity));
    try {
      if (isLinked(draft, lock)) {
        try {
          return work();
        } finally {
          rmSync(lock, { force: true });
        }
      }
    } finally {
      rmSync(draft, { force: true });
    }
    if (await isHeld(lock)) return undefined;
  }
}

/** False where the name is taken. */
function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** True while whoever made a lock may still be at work behind it. */
async function isHeld(lock: string): Promise<boolean> {
  let holder: ProcessIdentity;
  let ageMs: number;
  try {
    ageMs = Math.abs(Date.now() - statSync(lock).mtimeMs);
    holder = ProcessIdentity.parse(JSON.parse(readFileSync(lock, 'utf8')));
  } catch (error) {
    // Given back a moment ago: what it did is done. One that cannot be read is of a machine that lost its power.
    if (error instanceof z.ZodError || error instanceof SyntaxError) return false;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  const presence = await presenceOf(holder);
  if (presence === 'elsewhere' || presence === 'restarted') return ageMs < UNSEEN_MS;
  return presence !== 'gone';
}
