import { open } from 'node:fs/promises';
import { writeWhole } from '../../store/file-bytes.ts';

/** Bytes that go to the disk at once: a write for each record, or for each of thousands of small files, takes longer than all else. */
const WRITE_BYTES = 1 << 20;

/** A file that is written from its start. */
export interface GatheredFile {
  /** Appends bytes; they are no longer needed afterwards. */
  append(bytes: Buffer): Promise<void>;
  /** Bytes that were appended so far. */
  bytes(): number;
  /** Writes what is gathered, and closes the file. */
  close(): Promise<void>;
  /** Closes the file as it is. */
  abandon(): Promise<void>;
}

/** Opens a file, new or emptied, whose bytes are gathered and written a megabyte at a time. */
export async function openGatheredFile(path: string): Promise<GatheredFile> {
  const file = await open(path, 'w');
  const gathered = Buffer.allocUnsafe(WRITE_BYTES);
  let [gatheredBytes, total] = [0, 0];
  const flush = async () => {
    await writeWhole(file, gathered.subarray(0, gatheredBytes));
    gatheredBytes = 0;
  };
  return {
    append: async (bytes) => {
      if (gatheredBytes + bytes.length > WRITE_BYTES) await flush();
      if (bytes.length > WRITE_BYTES) await writeWhole(file, bytes);
      else gatheredBytes += bytes.copy(gathered, gatheredBytes);
      total += bytes.length;
    },
    bytes: () => total,
    close: async () => {
      await flush();
      await file.close();
    },
    abandon: () => file.close(),
  };
}
