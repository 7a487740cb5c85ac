import { join } from 'node:path';
import type { WaveItem } from '../../core/plan/part.ts';
import { schemaInstruction } from '../../core/run-input/output-schema.ts';
import { changeRecord, type RecordChange } from '../../models/change-record.ts';
import { rewriteRecords } from '../../rows/collect/repack-part.ts';
import type { StepDeps } from '../deps.ts';
import type { ModelCall } from '../plan/model-call.ts';
import { type PlannedRun, variantOf } from '../run/read-plan.ts';
import { keepRecords } from './part-files.ts';
import { inPartScratch } from './part-scratch.ts';

/** What changes of a record that is sent in the form of its part. */
export function recordChangeOf(
  { schema_form }: WaveItem,
  { adapter, schema, turns }: ModelCall,
): RecordChange {
  return {
    adapter,
    turns: turns.length + 1,
    instruction: schema_form === undefined || schema === undefined ? undefined : schemaInstruction(schema),
  };
}

/**
 * Puts the records of a part that was not sent yet into the form of its turn, in their place; of a part that was broken off,
 * those that are in it stay as they are.
 */
export async function reform(part: WaveItem, run: PlannedRun, deps: StepDeps): Promise<{ records: number }> {
  const { store } = deps;
  const { layout, plan } = run;
  const change = recordChangeOf(part, variantOf(run, part).call);
  return inPartScratch({ doing: 'reform', runId: plan.run_id, part }, deps, async (scratchDirectory) => {
    const recordsPath = join(scratchDirectory, 'records.jsonl');
    const lines = await store.readStream(layout.records(part.part_id));
    const records = await rewriteRecords(lines, recordsPath, (modelInput) =>
      changeRecord(modelInput, change),
    );
    await keepRecords(part.part_id, recordsPath, { layout, store });
    return { records };
  });
}
