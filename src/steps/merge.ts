import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MergedLedger } from '../core/ledger.ts';
import type { MergeItem } from '../core/part.ts';
import { mergePart } from '../dataset/merge-part.ts';
import { writeJson } from '../store/json-object.ts';
import type { ObjectInfo } from '../store/object-store.ts';
import { withLocalFiles } from './dataset-files.ts';
import type { StepDeps } from './deps.ts';
import { readPlan } from './read-plan.ts';

/** What Merge leaves in the state machine: the part's counts. */
export type MergeResult = Pick<MergedLedger, 'part_id' | 'rows'>;

/**
 * Writes the final rows of a part that owed some after its first turn: each row once, with its last outcome. A
 * repeated call writes the same again; one for a run that was taken up again writes what it has come to since.
 */
export async function merge(item: MergeItem, deps: StepDeps): Promise<MergeResult> {
  const { store } = deps;
  const { part_id, repairs } = item;
  const { layout, plan } = await readPlan(item.run_uri, deps);
  const scratchDirectory = join(deps.scratchDirectory, plan.run_id, `merge-${part_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    const mergedPath = join(scratchDirectory, 'merged.parquet');
    const results = [part_id, ...repairs].map(
      (id): ObjectInfo => ({ uri: layout.result(id), size: 0, etag: '' }),
    );
    const merged = await withLocalFiles(results, store, ([first, ...later]) =>
      mergePart({
        resultPath: first?.path ?? '',
        repairPaths: later.map(({ path }) => path),
        outputColumn: plan.output_column,
        mergedPath,
        scratchDirectory,
      }),
    );
    await store.putFile(mergedPath, layout.output(part_id));
    // Written last: a ledger that is there stands for a whole output.
    await writeJson(store, layout.merged(part_id), { part_id, ...merged } satisfies MergedLedger);
    return { part_id, rows: merged.rows };
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}
