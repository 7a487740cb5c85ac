import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { LedgerMismatchError, ObjectNotFoundError } from '../../core/errors.ts';
import { type PartSource, PreparedPart, type WaveItem, WaveParts } from '../../core/plan/part.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { changeRecord } from '../../models/change-record.ts';
import { RecordLengths } from '../../rows/bytes/record-lengths.ts';
import { type RepackSource, type Rewriting, repackPart } from '../../rows/collect/repack-part.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJson, readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { StepDeps } from '../deps.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { retryPolicyOf } from '../run/plan-retry-policy.ts';
import { type PlannedRun, readPlan, variantOf } from '../run/read-plan.ts';
import { leavingWord } from './part-fault.ts';
import { keepPartFiles, lacksFiles, requirePartFiles, requireTurnResult } from './part-files.ts';
import { firstResultOf } from './part-result.ts';
import { inPartScratch } from './part-scratch.ts';
import { recordChangeOf, reform } from './reform.ts';

/**
 * Gathers the owed records of earlier parts into the input file of a repair part. A part that is repacked is left as
 * it is; one that was broken off is made again, to the same bytes.
 */
export function repack(part: WaveItem, deps: StepDeps): Promise<{ records: number }> {
  return leavingWord(part, deps, () => repackTurn(part, deps));
}

async function repackTurn(part: WaveItem, deps: StepDeps): Promise<{ records: number }> {
  const { store } = deps;
  const { part_id, variant } = part;
  const run = await readPlan(part.run_uri, deps);
  const { layout, plan } = run;
  if (!part.repair) return await reform(part, run, deps);
  const done = await readJsonIfPresent(store, layout.part(part_id), PreparedPart);
  if (done !== undefined && !(await lacksFiles(done, { layout, store }))) return { records: done.records };
  return inPartScratch({ doing: 'repack', runId: plan.run_id, part }, deps, async (scratchDirectory) => {
    const recordsPath = join(scratchDirectory, 'records.jsonl');
    const rowsPath = join(scratchDirectory, 'rows.parquet');
    const { records, bytes } = await repackPart({
      sources: await openSources(part, { run, scratchDirectory }, deps),
      rewriting: rewritingOf(part, run),
      recordsPath,
      rowsPath,
      scratchDirectory,
    });
    await keepPartFiles(part_id, { recordsPath, rowsPath }, { layout, store });
    const repacked: PreparedPart = { part_id, variant, first_row: 0, rows: records, records, bytes };
    // Written last: a part that is there is whole.
    await writeJson(store, layout.part(part_id), repacked);
    return { records };
  });
}

/** The parts that a repair part takes its records from, each known to be whole. */
async function openSources(
  part: WaveItem,
  { run, scratchDirectory }: { run: PlannedRun; scratchDirectory: string },
  deps: StepDeps,
): Promise<RepackSource[]> {
  const { store } = deps;
  const { layout } = run;
  const open = (uri: S3Uri) => resultObject(uri, { store, scratchDirectory });
  const policy = retryPolicyOf(run);
  const maxAttempts = part.max_attempts ?? policy.maxAttempts;
  const sources: RepackSource[] = [];
  const owing = await sourcesOf(part, layout, deps);
  for (const { part_id: partId, owed_from, owed_count, forgiven = 'nothing' } of owing) {
    await requirePartFiles(partId, ['records', 'lengths', 'rows'], { layout, store });
    await requireTurnResult(partId, { layout, store });
    sources.push({
      partId,
      result: open(await firstResultOf(partId, run, store)),
      rows: open(layout.rows(partId)),
      readLengths: () => readLengths(partId, layout, deps),
      readRecords: async ({ start, end }) =>
        buffer(await store.readStream(layout.records(partId), { start, end: end - 1 })),
      retry: { ...policy, maxAttempts, forgiven },
      owedFrom: owed_from,
      owedCount: owed_count,
    });
  }
  return sources;
}

/** How the records of a repair part are changed; undefined where they are sent again as they were. */
function rewritingOf(part: WaveItem, run: PlannedRun): Rewriting | undefined {
  const { input, call } = variantOf(run, part);
  if (call.schema === undefined) return undefined;
  const change = recordChangeOf(part, call);
  const isReasked = input.reask ?? true;
  if (!isReasked && change.instruction === undefined) return undefined;
  return {
    rewrite: (modelInput, wrong) => changeRecord(modelInput, change, wrong),
    answerColumn: isReasked ? resultColumnsOfRun(input, call).answer.name : undefined,
  };
}

/** How long a part's records are; of a part that an earlier version prepared, its whole input file tells. */
async function readLengths(partId: string, layout: RunLayout, { store }: StepDeps): Promise<RecordLengths> {
  try {
    return RecordLengths.fromBytes(await store.read(layout.recordLengths(partId)));
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    return RecordLengths.of(await store.readStream(layout.records(partId)));
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
