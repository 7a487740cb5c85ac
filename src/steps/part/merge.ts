import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerMismatchError } from '../../core/errors.ts';
import { type MergeItem, MergePlan } from '../../core/plan/part.ts';
import type { MergedLedger } from '../../core/run/ledger.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { readCanonicalParts } from '../../rows/collect/canonical-parts.ts';
import { mergePart } from '../../rows/collect/merge-part.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { factsOf } from '../../store/file-facts.ts';
import { readJson, writeJson } from '../../store/json-object.ts';
import type { ObjectInfo } from '../../store/object-store.ts';
import type { StepDeps } from '../deps.ts';
import { withLocalFiles } from '../plan/dataset-files.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { type PlannedRun, readPlan } from '../run/read-plan.ts';
import { readPrepared } from '../waves/turns.ts';
import { firstResultOf } from './part-result.ts';

/** What Merge leaves in the state machine: the part's counts. */
export type MergeResult = Pick<MergedLedger, 'part_id' | 'rows'>;

/**
 * Writes the final rows of a part that owed some after its first turn: each row once, with its last outcome. A
 * repeated call writes the same again; one for a run that was taken up again writes what it has come to since.
 */
export async function merge(item: MergeItem, deps: StepDeps): Promise<MergeResult> {
  const { store } = deps;
  const { part_id } = item;
  const run = await readPlan(item.run_uri, deps);
  const { layout, plan, input, call } = run;
  const scratchDirectory = join(deps.scratchDirectory, plan.run_id, `merge-${part_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    const mergedPath = join(scratchDirectory, 'merged.parquet');
    const { part, allRepairs } = await readMerge(item, layout, deps);
    const elsewhere = part.elsewhere ? await findElsewhere(item, { run, scratchDirectory }, deps) : [];
    const repairs = (part.elsewhere ? allRepairs : part.repairs).map((id) => layout.result(id));
    const uris = [await firstResultOf(part_id, layout, store), ...repairs, ...elsewhere];
    const infos = uris.map((uri): ObjectInfo => ({ uri, size: 0, etag: '' }));
    const merged = await withLocalFiles(infos, store, (local) => {
      const [resultPath = '', ...paths] = local.map(({ path }) => path);
      return mergePart({
        resultPath,
        repairPaths: paths.slice(0, repairs.length),
        elsewherePaths: paths.slice(repairs.length),
        columns: resultColumnsOfRun(input, call),
        mergedPath,
        scratchDirectory,
      });
    });
    const result = await factsOf(mergedPath);
    await store.putFile(mergedPath, layout.output(part_id));
    // Written last: a ledger that is there stands for a whole output.
    await writeJson(store, layout.merged(part_id), { part_id, ...merged, result } satisfies MergedLedger);
    return { part_id, rows: merged.rows };
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}

/** What the part goes through, by the file that Dispatch left. */
async function readMerge({ part_id, wave }: MergeItem, layout: RunLayout, { store }: StepDeps) {
  const { parts, all_repairs } = await readJson(store, layout.mergePlan(wave), MergePlan);
  const part = parts.find((candidate) => candidate.part_id === part_id);
  if (part === undefined) throw new LedgerMismatchError(`${layout.mergePlan(wave)} has no part ${part_id}.`);
  return { part, allRepairs: all_repairs };
}

/** Results of the parts that have the records whose answers rows of this part get. */
async function findElsewhere(
  { part_id }: MergeItem,
  { run: { layout, plan }, scratchDirectory }: { run: PlannedRun; scratchDirectory: string },
  deps: StepDeps,
): Promise<S3Uri[]> {
  const { store } = deps;
  const parts = await readPrepared(plan, layout, deps);
  const rows: ObjectInfo = { uri: layout.rows(part_id), size: 0, etag: '' };
  const ids = await withLocalFiles([rows], store, ([local]) =>
    readCanonicalParts(local?.path ?? '', { parts, scratchDirectory }),
  );
  return Promise.all(ids.map((id) => firstResultOf(id, layout, store)));
}
