import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { causeOfFailedWrite, diskFaultOf } from './disk-fault.ts';
import { makeFolder } from './durable-file.ts';

/** Makes the folder of a local store, unless it is there; a new one keeps itself out of Git, whatever repository it is in. */
export async function makeStoreFolder(directory: string): Promise<void> {
  try {
    if (await makeFolder(directory)) await writeFile(join(directory, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    const root = resolve(directory);
    const cause = await causeOfFailedWrite(error as NodeJS.ErrnoException, root);
    throw diskFaultOf(cause, root) ?? cause;
  }
}
