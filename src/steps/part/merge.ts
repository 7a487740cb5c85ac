import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerMismatchError } from '../../core/errors.ts';
import { type MergeItem, MergePlan } from '../../core/plan/part.ts';
import { isSideBySide } from '../../core/plan/run-plan.ts';
import type { MergedLedger } from '../../core/run/ledger.ts';
import { type CanonicalPart, readCanonicalParts } from '../../rows/collect/canonical-parts.ts';
import { mergePart } from '../../rows/collect/merge-part.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import { ownOutputOf, type RunLayout } from '../../runs/run-layout.ts';
import { factsOf } from '../../store/file-facts.ts';
import { readJson, writeJson } from '../../store/json-object.ts';
import { keepPart, keepsAnswers } from '../answers/keep-part.ts';
import type { StepDeps } from '../deps.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { type PlannedRun, readPlan, variantOf } from '../run/read-plan.ts';
import { readPrepared } from '../waves/turns.ts';
import { joinPart, partsBeside } from './join-part.ts';
import { requirePartFiles, requireTurnResult } from './part-files.ts';
import { firstResultOf } from './part-result.ts';

/** What Merge leaves in the state machine: the part's counts. */
export type MergeResult = Pick<MergedLedger, 'part_id' | 'rows'>;

/**
 * Writes the final rows of a part that owed some after its first turn: each row once, with its last outcome. Of several variants,
 * those of each that has the part's rows, and all side by side. A repeated call writes the same again; one for a run that was taken
 * up again writes what it has come to since.
 */
export async function merge(item: MergeItem, deps: StepDeps): Promise<MergeResult> {
  const run = await readPlan(item.run_uri, deps);
  return isSideBySide(run.plan) ? await mergeSideBySide(item, run, deps) : await mergeOwn(item, run, deps);
}

async function mergeSideBySide(item: MergeItem, run: PlannedRun, deps: StepDeps): Promise<MergeResult> {
  const plans = await readMergePlan(item, run.layout, deps);
  const prepared = await readPrepared(run.plan, run.layout, deps);
  const beside = partsBeside(item.part_id, prepared);
  for (const { part_id, variant } of beside) {
    if (plans.has(part_id)) await mergeOwn({ ...item, part_id, variant }, run, deps);
  }
  return await joinPart(item.part_id, { run, beside }, deps);
}

async function mergeOwn(item: MergeItem, run: PlannedRun, deps: StepDeps): Promise<MergeResult> {
  const { store } = deps;
  const { part_id } = item;
  const { layout, plan } = run;
  const { input, call } = variantOf(run, item);
  const scratchDirectory = join(deps.scratchDirectory, plan.run_id, `merge-${part_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    const mergedPath = join(scratchDirectory, 'merged.parquet');
    const plans = await readMergePlan(item, layout, deps);
    const part = plans.get(part_id);
    if (part === undefined)
      throw new LedgerMismatchError(`${layout.mergePlan(item.wave)} has no part ${part_id}.`);
    const elsewhere = part.elsewhere ? await findElsewhere(item, { run, scratchDirectory }, deps) : [];
    const place = { store, scratchDirectory };
    for (const repair of part.repairs) await requireTurnResult(repair.part_id, { layout, store });
    for (const { partId } of [{ partId: part_id }, ...elsewhere]) {
      await requireTurnResult(partId, { layout, store });
    }
    await using first = await store.fetchFile(await firstResultOf(part_id, run, store));
    const merged = await mergePart({
      resultPath: first.path,
      repairs: repairsOf([part, ...elsewhere.flatMap(({ partId }) => plans.get(partId) ?? [])]).map(
        ({ part_id: repair, ...window }) => ({
          file: resultObject(layout.result(repair), place),
          windows: [{ firstRow: window.first_row, rows: window.rows }],
        }),
      ),
      elsewhere: await Promise.all(
        elsewhere.map(async ({ partId, windows }) => ({
          file: resultObject(await firstResultOf(partId, run, store), place),
          windows,
        })),
      ),
      columns: resultColumnsOfRun(input, call),
      mergedPath,
      scratchDirectory,
    });
    if (keepsAnswers(plan))
      await keepPart({ run, part: item, resultPath: mergedPath, scratchDirectory }, deps);
    const result = await factsOf(mergedPath);
    await store.putFile(mergedPath, ownOutputOf(plan, layout, part_id));
    // Written last: a ledger that is there stands for a whole output.
    await writeJson(store, layout.merged(part_id), { part_id, ...merged, result } satisfies MergedLedger);
    return { part_id, rows: merged.rows };
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}

type MergedPart = MergePlan['parts'][number];

/** What each part goes through, by the file that Dispatch left. */
async function readMergePlan(
  { wave }: MergeItem,
  layout: RunLayout,
  { store }: StepDeps,
): Promise<ReadonlyMap<string, MergedPart>> {
  const { parts } = await readJson(store, layout.mergePlan(wave), MergePlan);
  return new Map(parts.map((part) => [part.part_id, part]));
}

/** The repair parts of several parts, in the order of their waves: the ids of a wave's parts follow those of the wave before. */
function repairsOf(parts: readonly MergedPart[]): MergedPart['repairs'] {
  return parts.flatMap(({ repairs }) => repairs).toSorted((a, b) => waveOf(a.part_id) - waveOf(b.part_id));
}

/** The wave in a repair part's id, such as w2p00001. */
function waveOf(partId: string): number {
  return Number.parseInt(partId.slice(1), 10);
}

/** The parts that have the records whose answers rows of this part get. */
async function findElsewhere(
  { part_id }: MergeItem,
  { run: { layout, plan }, scratchDirectory }: { run: PlannedRun; scratchDirectory: string },
  deps: StepDeps,
): Promise<CanonicalPart[]> {
  await requirePartFiles(part_id, ['rows'], { layout, store: deps.store });
  const parts = await readPrepared(plan, layout, deps);
  const rows = resultObject(layout.rows(part_id), { store: deps.store, scratchDirectory });
  return await readCanonicalParts(rows, { parts, scratchDirectory });
}
