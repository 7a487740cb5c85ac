import pLimit from 'p-limit';
import { DamagedFileError } from '../../core/errors.ts';
import { WaveParts } from '../../core/plan/part.ts';
import { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { readJsonIfPresent } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { lacksFiles, requireWhole } from '../part/part-files.ts';
import { isThere, listJoinedFiles, listResultFiles, type ResultFile } from './result-files.ts';

/** Objects that are looked at at once. */
const CONCURRENT_LOOKS = 16;

/**
 * Lets output files that are missing, or of another size than when they were written, be written anew from what is below
 * `working/`: their ledgers are deleted, and the run goes on from there. Nothing is asked of Bedrock for it but what became of
 * the job. Throws DamagedFileError where what a file was made of is gone. Returns the ids of the parts.
 */
export async function mendResults(layout: RunLayout, store: ObjectStore): Promise<string[]> {
  await mendRepairs(layout, store);
  const plan =
    (await readJsonIfPresent(store, layout.plan, RunPlan)) ??
    (await readJsonIfPresent(store, layout.planCopy, RunPlan));
  if (plan === undefined) return [];
  const files = [
    ...(await listResultFiles(plan, layout, store)),
    ...(await listJoinedFiles(plan, layout, store)),
  ];
  const limit = pLimit(CONCURRENT_LOOKS);
  const found = await limit.map(files, async (file) => ({ file, isWhole: await isOfItsSize(file, store) }));
  const broken = found.filter(({ isWhole }) => !isWhole).map(({ file }) => file);
  for (const file of broken) await requireSources(file, store);
  if (broken.length === 0) return [];
  // First: a run that has its summary has ended, whatever else is missing.
  await store.delete(layout.summary);
  for (const { ledgerUris } of broken) for (const uri of ledgerUris) await store.delete(uri);
  return broken.map(({ partId }) => partId);
}

/**
 * Lets repair parts whose files somebody has deleted, as they were damaged, take their turn again: it repacks them, finds their
 * jobs, and collects these again.
 */
async function mendRepairs(layout: RunLayout, store: ObjectStore): Promise<void> {
  if (store.localPath === undefined || (await store.head(layout.summary)) !== undefined) return;
  for (let wave = 1; ; wave += 1) {
    const parts = await readJsonIfPresent(store, layout.waveParts(wave), WaveParts);
    if (parts === undefined) return;
    for (const part of parts) {
      if (part.sources.length > 0 && (await lacksFiles(part, { layout, store }))) {
        await store.delete(layout.ledger(part.part_id));
      }
    }
  }
}

/**
 * Throws DamagedFileError where an output file on a disk is not as it was written: looked at before the run is said to have ended,
 * as whoever starts it again then has the file written anew.
 */
export async function requireResults(
  { plan, layout }: { plan: RunPlan; layout: RunLayout },
  store: ObjectStore,
): Promise<void> {
  if (store.localPath === undefined) return;
  const files = [
    ...(await listResultFiles(plan, layout, store)),
    ...(await listJoinedFiles(plan, layout, store)),
  ];
  for (const { uri, facts } of files) {
    if (facts === undefined) continue;
    await requireWhole(uri, {
      facts,
      store,
      advice: (place) =>
        `Delete ${place}, and start the run again: it is written again from what its job left, and nothing is paid for twice.`,
    });
  }
}

async function isOfItsSize(
  { uri, facts }: Pick<ResultFile, 'uri' | 'facts'>,
  store: ObjectStore,
): Promise<boolean> {
  const size = (await store.head(uri))?.size;
  return size !== undefined && (facts === undefined || size === facts.bytes);
}

async function requireSources(
  { uri, sources }: Pick<ResultFile, 'uri' | 'sources'>,
  store: ObjectStore,
): Promise<void> {
  for (const source of sources) {
    if (await isThere(source, store)) continue;
    const place = store.localPath?.(uri) ?? uri;
    throw new DamagedFileError(
      `${place} is missing or not as it was written, and cannot be written again: ${store.localPath?.(source) ?? source}, which it was made from, no longer exists. Restore either of them from a copy.`,
    );
  }
}
