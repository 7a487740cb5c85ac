import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerMismatchError } from '../../core/errors.ts';
import type { PreparedPart } from '../../core/plan/part.ts';
import type { JoinedLedger, MergedLedger } from '../../core/run/ledger.ts';
import { joinVariants } from '../../rows/collect/join-variants.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import { ownOutputOf } from '../../runs/run-layout.ts';
import { factsOf } from '../../store/file-facts.ts';
import { writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import type { PlannedRun } from '../run/read-plan.ts';

/** The parts of all variants that have rows of one part, that one among them. */
export function partsBeside(partId: string, prepared: readonly PreparedPart[]): PreparedPart[] {
  const own = prepared.find(({ part_id }) => part_id === partId);
  if (own === undefined) throw new LedgerMismatchError(`No slice has a part ${partId}.`);
  const end = own.first_row + own.rows;
  return prepared.filter(
    ({ variant, part_id, first_row, rows }) =>
      (variant !== own.variant || part_id === partId) && first_row < end && first_row + rows > own.first_row,
  );
}

/** Writes the output file of a part of the first variant: its rows, with the final answers of all variants side by side. */
export async function joinPart(
  partId: string,
  { run, beside }: { run: PlannedRun; beside: readonly PreparedPart[] },
  { store, ...deps }: StepDeps,
): Promise<Pick<MergedLedger, 'part_id' | 'rows'>> {
  const { layout, plan, variants } = run;
  const scratchDirectory = join(deps.scratchDirectory, plan.run_id, `join-${partId}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    const own = beside.find(({ part_id }) => part_id === partId) as PreparedPart;
    const end = own.first_row + own.rows;
    const joinedPath = join(scratchDirectory, 'joined.parquet');
    await using rows = await store.fetchFile(ownOutputOf(plan, layout, partId));
    await joinVariants({
      rowsPath: rows.path,
      variants: variants.map(({ name = '', input, call }, index) => ({
        name,
        columns: resultColumnsOfRun(input, call),
        pieces: beside
          .filter(({ variant }) => variant === index)
          .map(({ part_id, first_row, rows: partRows }) => {
            const first = Math.max(first_row, own.first_row);
            return {
              file: resultObject(ownOutputOf(plan, layout, part_id), { store, scratchDirectory }),
              window: { firstRow: first - first_row, rows: Math.min(end, first_row + partRows) - first },
              at: first - own.first_row,
            };
          }),
      })),
      joinedPath,
      scratchDirectory,
    });
    const result = await factsOf(joinedPath);
    await store.putFile(joinedPath, layout.output(partId));
    // Written last: a ledger that is there stands for a whole output.
    await writeJson(store, layout.joined(partId), {
      part_id: partId,
      rows: own.rows,
      result,
    } satisfies JoinedLedger);
    const total = own.rows * variants.length;
    return { part_id: partId, rows: { total, succeeded: 0, failed: 0, not_sent: 0 } };
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}
