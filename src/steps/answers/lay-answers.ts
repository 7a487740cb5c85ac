import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ServiceUnavailableError } from '../../core/errors.ts';
import { ResultFacts } from '../../core/run/ledger.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { type AnswerObject, type FoundAnswers, findAnswers } from '../../rows/answers/find-answers.ts';
import type { LaidAnswers } from '../../rows/answers/laid-answers.ts';
import type { DuckDb } from '../../rows/duckdb/duckdb.ts';
import type { Asked } from '../../rows/prepare/record-sql.ts';
import type { ResultColumns } from '../../rows/results/result-columns.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import { answersFolderUri } from '../../runs/answers-layout.ts';
import type { RunLayout } from '../../runs/run-layout.ts';
import { factsOf } from '../../store/file-facts.ts';
import { readJson, readJsonIfPresent, writeJsonIfAbsent } from '../../store/json-object.ts';
import type { LocalFile } from '../../store/object-store.ts';
import type { PlanDeps } from '../deps.ts';
import { requireWhole } from '../part/part-files.ts';
import { folderOf } from './asked.ts';
import { type FormerRequest, layFormerRun } from './lay-former-run.ts';

const Count = z.int().min(0);

/**
 * `laid/<hash>.json`: which answers a run that is being planned gets. Its slices are cut by them, so that a plan which is made
 * again has to find the same ones, whatever has been kept since.
 */
const LaidPin = z
  .object({ file: ResultFacts.nullable(), rows: Count, answers: Count, changed: Count })
  .meta({ title: 'the answers of former runs that a run gets' });
type LaidPin = z.infer<typeof LaidPin>;

/** Answers that are laid for a run, and what is to be told of them. */
export interface LaidForRun extends Pick<FoundAnswers, 'answers' | 'changed'> {
  laid: LaidAnswers | undefined;
  /** True where an earlier call of Plan has laid them: nothing of them is to be written. */
  isPinned: boolean;
  notes: string[];
  /** A copy that was fetched. */
  fetched?: LocalFile;
}

/** The run that answers are laid for. */
export interface LayRequest {
  layout: RunLayout;
  inputHash: string;
  asked: Asked;
  columns: ResultColumns;
  /** Of a run that takes the answers of one other run: what it is of. */
  former?: FormerRequest | undefined;
  scratchDirectory: string;
}

/** Lays the answers that former runs have for the rows in the table `requests`, as an earlier call did if there was one. */
export async function layAnswers(
  db: DuckDb,
  { layout, inputHash, asked, columns, former, scratchDirectory }: LayRequest,
  { store, settings, hash }: Pick<PlanDeps, 'store' | 'settings' | 'hash'>,
): Promise<LaidForRun> {
  const pin = await readJsonIfPresent(store, layout.laidPin(inputHash), LaidPin);
  if (pin !== undefined) return await layAgain(pin, layout, { store });
  await mkdir(scratchDirectory, { recursive: true });
  if (former !== undefined) {
    return {
      ...(await layFormerRun(db, { ...former, columns, scratchDirectory }, { store, settings })),
      isPinned: false,
    };
  }
  const folder = answersFolderUri(settings.bucket, folderOf(asked, { hash }));
  const list = async (): Promise<AnswerObject[]> =>
    (await Array.fromAsync(store.list(folder)))
      .filter(({ uri }) => uri.endsWith('.parquet'))
      .map(({ uri }) => ({ uri, file: resultObject(uri, { store, scratchDirectory }) }));
  const { laid, answers, changed, unreadable, damaged } = await findAnswers(db, {
    list,
    columns,
    scratchDirectory: join(scratchDirectory),
  });
  const placeOf = (uri: S3Uri) => store.localPath?.(uri) ?? uri;
  const notes = unreadable.map(
    ({ uri, why }) =>
      `${placeOf(uri)} cannot be read, and its answers count as lost: ${why.split('\n')[0]} "quarry answers --rebuild" makes it again from the runs that have them.`,
  );
  if (damaged > 0) {
    notes.push(
      `${damaged.toLocaleString('en-US')} kept answers are not as they were written, and count as lost. "quarry answers --rebuild" makes them again from the runs that have them.`,
    );
  }
  return { laid, answers, changed, isPinned: false, notes };
}

async function layAgain(
  { file, rows, answers, changed }: LaidPin,
  layout: RunLayout,
  { store }: Pick<PlanDeps, 'store'>,
): Promise<LaidForRun> {
  const counts = { answers, changed, isPinned: true, notes: [] };
  if (file === null) return { laid: undefined, ...counts };
  const uri = layout.laid(file.sha256);
  await requireWhole(uri, {
    facts: file,
    store,
    advice: () => 'Start a new run under another run_id: nothing was sent for this one.',
  });
  const fetched = await store.fetchFile(uri);
  return { laid: { path: fetched.path, rows }, ...counts, fetched };
}

/**
 * Puts the laid answers where the run's steps find them, before anything is written that follows from them; the file as
 * it is kept. Throws ServiceUnavailableError where another call has laid others meanwhile: the next one takes those.
 */
export async function pinLaid(
  { laid, answers, changed }: Pick<LaidForRun, 'laid' | 'answers' | 'changed'>,
  { layout, inputHash }: Pick<LayRequest, 'layout' | 'inputHash'>,
  { store }: Pick<PlanDeps, 'store'>,
): Promise<ResultFacts | undefined> {
  const file = laid === undefined ? null : await factsOf(laid.path);
  if (laid !== undefined && file !== null) await store.putFile(laid.path, layout.laid(file.sha256));
  const pin: LaidPin = { file, rows: laid?.rows ?? 0, answers, changed };
  await writeJsonIfAbsent(store, layout.laidPin(inputHash), pin);
  const pinned = await readJson(store, layout.laidPin(inputHash), LaidPin);
  if (pinned.file?.sha256 !== file?.sha256) {
    throw new ServiceUnavailableError(
      `Another call has found other answers of former runs for ${layout.runUri} meanwhile. Plan it again: it gets those.`,
    );
  }
  return file ?? undefined;
}
