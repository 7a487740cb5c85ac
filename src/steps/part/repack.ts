import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LedgerMismatchError } from '../../core/errors.ts';
import { type PartSource, PreparedPart, type WaveItem, WaveParts } from '../../core/plan/part.ts';
import { type RepackSource, repackPart } from '../../rows/collect/repack-part.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJson, readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { retryPolicyOf } from '../run/plan-retry-policy.ts';
import { readPlan } from '../run/read-plan.ts';
import { reportFault } from './part-fault.ts';
import { firstResultOf } from './part-result.ts';

/**
 * Gathers the owed records of earlier parts into the input file of a repair part. A part that is repacked is left as
 * it is; one that was broken off is made again, to the same bytes.
 */
export async function repack(part: WaveItem, deps: StepDeps): Promise<{ records: number }> {
  const { store } = deps;
  const { part_id } = part;
  const run = await readPlan(part.run_uri, deps);
  const { layout, plan } = run;
  const done = await readJsonIfPresent(store, layout.part(part_id), PreparedPart);
  if (done !== undefined) return { records: done.records };
  const scratchDirectory = join(deps.scratchDirectory, plan.run_id, `repack-${part_id}`);
  await mkdir(scratchDirectory, { recursive: true });
  try {
    await using stack = new AsyncDisposableStack();
    const recordsPath = join(scratchDirectory, 'records.jsonl');
    const rowsPath = join(scratchDirectory, 'rows.parquet');
    const sources: RepackSource[] = [];
    const policy = retryPolicyOf(run);
    const maxAttempts = part.max_attempts ?? policy.maxAttempts;
    const owing = await sourcesOf(part, layout, deps);
    for (const { part_id: partId, owed_from, owed_count, forgiven = 'nothing' } of owing) {
      const result = stack.use(await store.fetchFile(await firstResultOf(partId, layout, store)));
      sources.push({
        partId,
        resultPath: result.path,
        retry: { ...policy, maxAttempts, forgiven },
        readRecords: () => store.readStream(layout.records(partId)),
        owedFrom: owed_from,
        owedCount: owed_count,
      });
    }
    const { records, bytes } = await repackPart({ sources, recordsPath, rowsPath, scratchDirectory });
    await store.putFile(recordsPath, layout.records(part_id));
    await store.putFile(rowsPath, layout.rows(part_id));
    const repacked: PreparedPart = { part_id, first_row: 0, rows: records, records, bytes };
    // Written last: a part that is there is whole.
    await writeJson(store, layout.part(part_id), repacked);
    return { records };
  } catch (error) {
    await reportFault(part, error, deps);
    throw error;
  } finally {
    await rm(scratchDirectory, { recursive: true, force: true });
  }
}

/** Where a repair part's records come from, by the file of its wave. */
async function sourcesOf(
  { wave, part_id }: WaveItem,
  layout: RunLayout,
  { store }: StepDeps,
): Promise<PartSource[]> {
  const parts = await readJson(store, layout.waveParts(wave), WaveParts);
  const part = parts.find((candidate) => candidate.part_id === part_id);
  if (part === undefined)
    throw new LedgerMismatchError(`Wave ${wave} of ${layout.runUri} has no part ${part_id}.`);
  return part.sources;
}
