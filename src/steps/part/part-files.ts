import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DamagedFileError } from '../../core/errors.ts';
import type { PreparedPart } from '../../core/plan/part.ts';
import { isFinal, PartLedger, ResultFacts } from '../../core/run/ledger.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { RecordLengths } from '../../rows/bytes/record-lengths.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { factsOf } from '../../store/file-facts.ts';
import { readJsonIfPresent, writeJson } from '../../store/json-object.ts';
import type { ObjectStore } from '../../store/object-store.ts';

/** `parts/<part>/files.json`: what the files of a part were when they were written. */
const PartFiles = z
  .object({ records: ResultFacts, lengths: ResultFacts, rows: ResultFacts })
  .meta({ title: 'what the files of a part were when they were written' });
type PartFiles = z.infer<typeof PartFiles>;

/** Where a run's files are. */
interface RunPlace {
  layout: RunLayout;
  store: ObjectStore;
}

/** Moves the files of a part to their places, and on a disk notes what they were: S3 keeps checksums of its own. */
export async function keepPartFiles(
  partId: string,
  { recordsPath, rowsPath }: { recordsPath: string; rowsPath: string },
  { layout, store }: RunPlace,
): Promise<void> {
  const lengths = (await RecordLengths.ofFile(recordsPath)).toBytes();
  const files: PartFiles | undefined =
    store.localPath === undefined
      ? undefined
      : { ...(await factsOfRecords(recordsPath, lengths)), rows: await factsOf(rowsPath) };
  await store.write(layout.recordLengths(partId), lengths);
  await store.putFile(recordsPath, layout.records(partId));
  await store.putFile(rowsPath, layout.rows(partId));
  if (files !== undefined) await writeJson(store, layout.partFiles(partId), files);
}

/** The same for the records alone, which are others now; its rows are as they were. */
export async function keepRecords(
  partId: string,
  recordsPath: string,
  { layout, store }: RunPlace,
): Promise<void> {
  const lengths = (await RecordLengths.ofFile(recordsPath)).toBytes();
  const before =
    store.localPath === undefined
      ? undefined
      : await readJsonIfPresent(store, layout.partFiles(partId), PartFiles);
  const files = before && { ...before, ...(await factsOfRecords(recordsPath, lengths)) };
  await store.write(layout.recordLengths(partId), lengths);
  await store.putFile(recordsPath, layout.records(partId));
  if (files !== undefined) await writeJson(store, layout.partFiles(partId), files);
}

async function factsOfRecords(
  recordsPath: string,
  lengths: Uint8Array,
): Promise<Pick<PartFiles, 'records' | 'lengths'>> {
  return {
    records: await factsOf(recordsPath),
    lengths: { bytes: lengths.length, sha256: createHash('sha256').update(lengths).digest('hex') },
  };
}

/** Throws DamagedFileError where one of these files of a part is not as it was written. */
export async function requirePartFiles(
  partId: string,
  kinds: readonly (keyof PartFiles)[],
  { layout, store }: RunPlace,
): Promise<void> {
  if (store.localPath === undefined) return;
  const files = await readJsonIfPresent(store, layout.partFiles(partId), PartFiles);
  if (files === undefined) return;
  for (const kind of kinds) {
    await requireWhole(uriOf(kind, partId, layout), {
      facts: files[kind],
      store,
      advice: (place) =>
        `Delete ${place}, and start the run again: it is made again, and nothing is paid for twice.`,
    });
  }
}

/** Throws DamagedFileError where what a turn made of a part, which waits to be merged, is not as it was written. */
export async function requireTurnResult(partId: string, { layout, store }: RunPlace): Promise<void> {
  if (store.localPath === undefined) return;
  const ledger = await readJsonIfPresent(store, layout.ledger(partId), PartLedger);
  const isThere = (await store.head(layout.result(partId))) !== undefined;
  // What was final at once is the output: Merge replaces it.
  if (ledger?.result === undefined || (!isThere && isFinal(ledger))) return;
  const ledgerPlace = store.localPath(layout.ledger(partId));
  await requireWhole(layout.result(partId), {
    facts: ledger.result,
    store,
    advice: () =>
      `Delete ${ledgerPlace}, and start the run again: the part is collected again from what its job left, and nothing is paid for twice.`,
  });
}

/** Throws DamagedFileError where a file on a disk is not as it was written. */
export async function requireWhole(
  uri: S3Uri,
  { facts, store, advice }: { facts: ResultFacts; store: ObjectStore; advice: (place: string) => string },
): Promise<void> {
  if (store.localPath === undefined) return;
  const info = await store.head(uri);
  const place = store.localPath(uri);
  const fault =
    info === undefined
      ? 'it is not there'
      : info.size !== facts.bytes
        ? `it has ${info.size} bytes, and had ${facts.bytes} when it was written`
        : (await store.identityOf(info)) === `sha256-${facts.sha256}`
          ? undefined
          : 'its content has changed since it was written';
  if (fault !== undefined) {
    throw new DamagedFileError(`${place} is damaged: ${fault}. ${advice(place)}`);
  }
}

/** True where a part that still needs its files lacks one: on a disk, where somebody deleted it. */
export async function lacksFiles(
  { part_id: partId }: Pick<PreparedPart, 'part_id'>,
  { layout, store }: RunPlace,
): Promise<boolean> {
  if (store.localPath === undefined || (await store.head(layout.partFiles(partId))) === undefined)
    return false;
  const heads = await Promise.all(
    (['records', 'lengths', 'rows'] as const).map((kind) => store.head(uriOf(kind, partId, layout))),
  );
  if (heads.every((head) => head !== undefined)) return false;
  const ledger = await readJsonIfPresent(store, layout.ledger(partId), PartLedger);
  return ledger === undefined || !isFinal(ledger);
}

function uriOf(kind: keyof PartFiles, partId: string, layout: RunLayout): S3Uri {
  switch (kind) {
    case 'records':
      return layout.records(partId);
    case 'lengths':
      return layout.recordLengths(partId);
    case 'rows':
      return layout.rows(partId);
  }
}
