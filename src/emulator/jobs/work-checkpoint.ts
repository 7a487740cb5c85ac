import { stat, truncate } from 'node:fs/promises';
import { z } from 'zod';
import { readStateFile } from './state-file.ts';
import { NO_RECORDS, RecordCounts } from './stored-job.ts';

/** How far a job's work is: what its local files held when this was written. */
const Checkpoint = z.object({
  position: z.int(),
  outputBytes: z.array(z.int()),
  answersBytes: z.int(),
  counts: RecordCounts,
});
/** How far a job's work is. */
export type Checkpoint = z.infer<typeof Checkpoint>;

/** Nothing answered yet, of this many files. */
export function emptyCheckpoint(files: number): Checkpoint {
  return {
    position: 0,
    outputBytes: Array.from({ length: files }, () => 0),
    answersBytes: 0,
    counts: { ...NO_RECORDS },
  };
}

/** The last checkpoint whose bytes are all there; undefined where there is none. */
export async function readCheckpoint(
  path: string,
  outputPaths: readonly string[],
  answersPath: string | undefined,
): Promise<Checkpoint | undefined> {
  const { value } = await readStateFile(path, Checkpoint);
  if (value === undefined || value.outputBytes.length !== outputPaths.length) return undefined;
  return (await cutTo(value, outputPaths, answersPath)) ? value : undefined;
}

/** Cuts off what was written after the checkpoint; false where bytes of it are missing. */
export async function cutTo(
  { outputBytes, answersBytes }: Checkpoint,
  outputPaths: readonly string[],
  answersPath: string | undefined,
): Promise<boolean> {
  const kept: [string, number][] = outputPaths.map((path, index) => [path, outputBytes[index] ?? 0]);
  if (answersPath !== undefined) kept.push([answersPath, answersBytes]);
  for (const [path, bytes] of kept) {
    const size = await stat(path).then(
      (stats) => stats.size,
      () => 0,
    );
    if (size < bytes) return false;
    if (size > bytes) await truncate(path, bytes);
  }
  return true;
}
