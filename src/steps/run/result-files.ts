import pLimit from 'p-limit';
import { type WavePart, WaveParts } from '../../core/plan/part.ts';
import { isSideBySide, type RunPlan } from '../../core/plan/run-plan.ts';
import {
  isFinal,
  JoinedLedger,
  MergedLedger,
  PartLedger,
  type ResultFacts,
  type RowCounts,
} from '../../core/run/ledger.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { ownOutputOf, type RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** A result file that a run has, and what its ledger says of it. */
export interface ResultFile {
  partId: string;
  /** Which of the plan's variants it is of, by its place there. */
  variant: number;
  uri: S3Uri;
  rows: RowCounts;
  /** Undefined where an earlier version wrote the ledger. */
  facts: ResultFacts | undefined;
  /** The ledgers that stand for the file: without them it is written anew. */
  ledgerUris: S3Uri[];
  /** What it is written anew from; all of it is needed. */
  sources: S3Uri[];
}

/** Small objects read at once. */
const CONCURRENT_READS = 16;

/** An output file with the rows of several variants side by side. */
export interface JoinedFile extends Pick<ResultFile, 'partId' | 'uri' | 'ledgerUris' | 'sources'> {
  rows: number;
  facts: ResultFacts;
}

/** The output files of a run with several variants, which stand beside the result files of each; none of another run. */
export async function listJoinedFiles(
  plan: Pick<RunPlan, 'variants'>,
  layout: RunLayout,
  store: ObjectStore,
): Promise<JoinedFile[]> {
  if (!isSideBySide(plan)) return [];
  const joined = await pLimit(CONCURRENT_READS).map(
    await listFirstParts(layout, store),
    async ({ part_id: partId, variant }): Promise<JoinedFile | undefined> => {
      const ledger =
        variant === 0 ? await readJsonIfPresent(store, layout.joined(partId), JoinedLedger) : undefined;
      if (ledger === undefined) return undefined;
      return {
        partId,
        uri: layout.output(partId),
        rows: ledger.rows,
        facts: ledger.result,
        ledgerUris: [layout.joined(partId)],
        sources: [layout.variantOutput(partId)],
      };
    },
  );
  return joined.filter((file) => file !== undefined);
}

/** Every result file of a part that a run should have by now, in the order of its waves. */
export async function listResultFiles(
  plan: Pick<RunPlan, 'variants'>,
  layout: RunLayout,
  store: ObjectStore,
): Promise<ResultFile[]> {
  const parts = await listFirstParts(layout, store);
  const files = await pLimit(CONCURRENT_READS).map(parts, (part) =>
    resultFileOf(part, { uri: ownOutputOf(plan, layout, part.part_id), layout, store }),
  );
  return files.filter((file) => file !== undefined);
}

/** The parts of the dataset that have had a turn. */
async function listFirstParts(layout: RunLayout, store: ObjectStore): Promise<WavePart[]> {
  const parts: WavePart[] = [];
  for (let wave = 1; ; wave += 1) {
    const ofWave = await readJsonIfPresent(store, layout.waveParts(wave), WaveParts);
    if (ofWave === undefined) break;
    parts.push(...ofWave.filter(({ sources }) => sources.length === 0));
  }
  return parts;
}

async function resultFileOf(
  { part_id: partId, variant }: WavePart,
  { uri, layout, store }: { uri: S3Uri; layout: RunLayout; store: ObjectStore },
): Promise<ResultFile | undefined> {
  const ledger = await readJsonIfPresent(store, layout.ledger(partId), PartLedger);
  if (ledger === undefined) return undefined;
  const merged = await readJsonIfPresent(store, layout.merged(partId), MergedLedger);
  if (merged === undefined && !isFinal(ledger)) return undefined;
  const { rows, result: facts } = merged ?? ledger;
  if (!isFinal(ledger)) {
    return {
      partId,
      variant,
      uri,
      rows,
      facts,
      ledgerUris: [layout.merged(partId)],
      sources: [layout.result(partId)],
    };
  }
  return {
    partId,
    variant,
    uri,
    rows,
    facts,
    ledgerUris: [...(merged === undefined ? [] : [layout.merged(partId)]), layout.ledger(partId)],
    sources: [layout.rows(partId), ...(ledger.job_arn === null ? [] : [layout.modelOutput(partId)])],
  };
}

/** True where an object is there, or at least one below its name. */
export async function isThere(uri: S3Uri, store: ObjectStore): Promise<boolean> {
  if ((await store.head(uri)) !== undefined) return true;
  const { done } = await store.list(`${uri}/`)[Symbol.asyncIterator]().next();
  return done !== true;
}
