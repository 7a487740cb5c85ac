import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartTurn } from '../../core/plan/part.ts';
import type { StepDeps } from '../deps.ts';

/** What is done for which part of which run. */
interface PartWork {
  /** Names the directory beside the part: `collect`. */
  doing: string;
  runId: string;
  part: PartTurn;
}

/** Does work on a part's turn in a directory of its own, which goes with it. */
export async function inPartScratch<T>(
  { doing, runId, part }: PartWork,
  deps: StepDeps,
  work: (scratchDirectory: string) => Promise<T>,
): Promise<T> {
  const scratchDirectory = join(deps.scratchDirectory, runId, `${doing}-${part.part_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    return await work(scratchDirectory);
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}
