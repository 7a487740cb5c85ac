import { constants } from 'node:fs';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { causeOfFailedWrite, diskFaultOf } from '../../store/disk-fault.ts';

/** Two copies at once, also within one process, do not share their unfinished file. */
let copies = 0;

/** Copies a file, sharing its bytes where the file system can; what is at the new place is whole. */
export async function copyWhole(from: string, to: string): Promise<void> {
  copies += 1;
  const temporary = `${to}.${process.pid}-${copies}.tmp`;
  try {
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, to);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const cause = await causeOfFailedWrite(error as NodeJS.ErrnoException, dirname(to));
    throw diskFaultOf(cause) ?? cause;
  }
}
