import { stat } from 'node:fs/promises';
import { digestOf } from './content-digest.ts';

/** Size and SHA-256 of a file, before it goes where it is kept. */
export async function factsOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const { size } = await stat(path);
  return { bytes: size, sha256: await digestOf(path) };
}
