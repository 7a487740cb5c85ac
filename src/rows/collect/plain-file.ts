import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** An output file without compression. */
interface PlainFile {
  path: string;
  /** False where the compressed file breaks off. */
  isWhole: boolean;
}

/** Output files as text, for as long as they are not disposed of. */
interface PlainFiles extends AsyncDisposable {
  files: PlainFile[];
}

/** https://www.rfc-editor.org/rfc/rfc1952#page-6 */
const GZIP_MAGIC = [0x1f, 0x8b];

/** A job's output files, each as it is, or unpacked into the scratch directory where it is gzipped, whatever its name. */
export async function openPlainFiles(
  paths: readonly string[],
  scratchDirectory: string,
): Promise<PlainFiles> {
  const unpacked: string[] = [];
  const dispose = async () => {
    await Promise.all(unpacked.map((path) => rm(path, { force: true })));
  };
  try {
    const files: PlainFile[] = [];
    for (const [index, path] of paths.entries()) {
      if (!(await isGzipped(path))) {
        files.push({ path, isWhole: true });
        continue;
      }
      const plain = join(scratchDirectory, `output-${index}.jsonl`);
      unpacked.push(plain);
      files.push({ path: plain, isWhole: await unpack(path, plain) });
    }
    return { files, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function isGzipped(path: string): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(GZIP_MAGIC.length), 0, GZIP_MAGIC.length, 0);
  return bytesRead === GZIP_MAGIC.length && GZIP_MAGIC.every((byte, index) => buffer[index] === byte);
}

/** Unpacks a file as far as it goes; false where that is not to its end. */
async function unpack(from: string, to: string): Promise<boolean> {
  try {
    await pipeline(createReadStream(from), createGunzip(), createWriteStream(to));
    return true;
  } catch (error) {
    // Of zlib's own: the file breaks off, or is damaged.
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    return false;
  }
}
