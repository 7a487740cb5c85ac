import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { S3Uri } from '../../core/s3-uri.ts';
import {
  type AnswerStock,
  type AnswersChoice,
  copyAnswersExcept,
  readStock,
  withStockDb,
} from '../../rows/answers/answer-stock.ts';
import { isOfFile } from '../../rows/answers/find-answers.ts';
import { resultObject } from '../../rows/results/result-objects.ts';
import { answersUri } from '../../runs/answers-layout.ts';
import { listRuns, type RunPlace } from '../../runs/run-store.ts';
import type { ObjectInfo } from '../../store/object-store.ts';
import type { StepDeps } from '../deps.ts';
import { plannedRunOf } from '../run/read-plan.ts';
import { listResultFiles } from '../run/result-files.ts';
import { answeringOf } from './asked.ts';
import { keepPart } from './keep-part.ts';

/** Where kept answers are, and what work on them needs. */
export interface AnswerStore extends RunPlace {
  hash: StepDeps['hash'];
  scratchDirectory: string;
}

/** The kept answers of one model, as it is asked in one way by one of those who answer. */
export interface ModelAnswers {
  /** Name of their folder. */
  folder: string;
  answers: number;
  files: number;
  bytes: number;
  runs: number;
  oldest: string | null;
  newest: string | null;
}

/** All kept answers of a store. */
export interface AnswersReport {
  models: ModelAnswers[];
  /** Rows of the runs in the store that have an answer of a former run. */
  hits: number;
  /** Files that cannot be read, each with why. */
  unreadable: { file: string; why: string }[];
}

/** A file of kept answers, and what is in it. */
interface StockedFile extends AnswerStock {
  info: ObjectInfo;
  folder: string;
}

/** Answers of files that are put together at most, and of a file that is left as it is. */
const COMPACTED = { answers: 1_000_000, bytes: 512 * 1024 ** 2 };
const LARGE = { answers: 500_000, bytes: 256 * 1024 ** 2 };

/** What is kept. */
export async function reportAnswers(place: AnswerStore): Promise<AnswersReport> {
  const { files, unreadable } = await stockedFiles(place, {});
  const { runs } = await listRuns(place);
  const models = [...Map.groupBy(files, ({ folder }) => folder)].map(([folder, of]): ModelAnswers => {
    const times = of
      .flatMap(({ oldest, newest }) => [oldest, newest])
      .filter((time) => time !== null)
      .toSorted();
    return {
      folder,
      answers: of.reduce((sum, { answers }) => sum + answers, 0),
      files: of.length,
      bytes: of.reduce((sum, { info }) => sum + info.size, 0),
      runs: new Set(of.flatMap(({ runIds }) => runIds)).size,
      oldest: times[0] ?? null,
      newest: times.at(-1) ?? null,
    };
  });
  return {
    models,
    hits: runs.reduce((sum, { summary }) => sum + (summary?.rows.reused ?? 0), 0),
    unreadable: unreadable.map(({ uri, why }) => ({ file: place.store.localPath?.(uri) ?? uri, why })),
  };
}

/** Deletes the answers that are meant; their number. A file that has others too is written anew before it goes. */
export async function pruneAnswers(choice: AnswersChoice, place: AnswerStore): Promise<number> {
  const { store } = place;
  const { files } = await stockedFiles(place, choice);
  let pruned = 0;
  for (const { info, answers, chosen } of files.filter((file) => file.chosen > 0)) {
    if (chosen < answers) {
      const name = `${info.uri.replace(/\.parquet$/, '')}.rest-${place.hash(JSON.stringify([choice, info.etag])).slice(0, 8)}.parquet`;
      await rewrite([info], { choice, to: name as S3Uri }, place);
    }
    await store.delete(info.uri);
    pruned += chosen;
  }
  return pruned;
}

/**
 * Puts small files together; how many files there are fewer. The new file is there before the old ones go, and is named after
 * them: whoever reads meanwhile finds each answer in one of them, or in both.
 */
export async function compactAnswers(place: AnswerStore): Promise<number> {
  const { files } = await stockedFiles(place, {});
  const small = files.filter(({ answers, info }) => answers < LARGE.answers && info.size < LARGE.bytes);
  let fewer = 0;
  for (const [, alike] of Map.groupBy(small, ({ folder, type }) => `${folder} ${type}`)) {
    for (const batch of batchesOf(alike)) {
      const [first] = batch;
      if (first === undefined || batch.length < 2) continue;
      const infos = batch.map(({ info }) => info);
      const digest = place.hash(JSON.stringify(infos.map(({ uri, etag }) => [uri, etag]))).slice(0, 16);
      const to = `${answersUri(place.bucket)}${first.folder}/compacted.${digest}.parquet` as S3Uri;
      await rewrite(infos, { choice: {}, to }, place);
      for (const { uri } of infos) await place.store.delete(uri);
      fewer += batch.length - 1;
    }
  }
  return fewer;
}

/** Files, in their order, that make a large one together. */
function batchesOf(files: readonly StockedFile[]): StockedFile[][] {
  const batches: { files: StockedFile[]; answers: number; bytes: number }[] = [];
  for (const file of files) {
    const last = batches.at(-1);
    const isFull =
      last === undefined ||
      last.answers + file.answers > COMPACTED.answers ||
      last.bytes + file.info.size > COMPACTED.bytes;
    if (isFull) batches.push({ files: [file], answers: file.answers, bytes: file.info.size });
    else {
      last.files.push(file);
      last.answers += file.answers;
      last.bytes += file.info.size;
    }
  }
  return batches.map((batch) => batch.files);
}

/**
 * Writes the answers of every run that has ended anew from its output, as if each had kept them, and deletes files that cannot be
 * read. Answers whose run is gone stay as they are.
 */
export async function rebuildAnswers(
  place: AnswerStore,
): Promise<{ runs: number; answers: number; deleted: number }> {
  const { store, bucket, hash, scratchDirectory } = place;
  const { runs } = await listRuns(place);
  const rebuilt = { runs: 0, answers: 0, deleted: 0 };
  for (const { layout, plan, summary } of runs) {
    if (summary === undefined) continue;
    const run = plannedRunOf(plan, layout);
    for (const { partId, variant, uri } of await listResultFiles(plan, layout, store)) {
      await using output = await store.fetchFile(uri);
      rebuilt.answers += await keepPart(
        { run, part: { part_id: partId, variant }, resultPath: output.path, scratchDirectory },
        { store, hash, settings: { bucket, ...answeringOf(plan, summary.simulated) } },
      );
    }
    rebuilt.runs += 1;
  }
  for (const { uri } of (await stockedFiles(place, {})).unreadable) {
    await store.delete(uri);
    rebuilt.deleted += 1;
  }
  return rebuilt;
}

async function rewrite(
  infos: readonly ObjectInfo[],
  { choice, to }: { choice: AnswersChoice; to: S3Uri },
  { store, scratchDirectory }: AnswerStore,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const paths: string[] = [];
  for (const { uri } of infos) paths.push(stack.use(await store.fetchFile(uri)).path);
  const path = join(scratchDirectory, 'rewritten.parquet');
  await withStockDb(scratchDirectory, (db) => copyAnswersExcept(db, { paths, choice, to: path }));
  await store.putFile(path, to);
}

/** Every file of kept answers, and those that cannot be read. */
async function stockedFiles(
  { store, bucket, scratchDirectory }: AnswerStore,
  choice: AnswersChoice,
): Promise<{ files: StockedFile[]; unreadable: { uri: S3Uri; why: string }[] }> {
  await mkdir(scratchDirectory, { recursive: true });
  const files: StockedFile[] = [];
  const unreadable: { uri: S3Uri; why: string }[] = [];
  await withStockDb(scratchDirectory, async (db) => {
    for await (const info of store.list(answersUri(bucket))) {
      if (!info.uri.endsWith('.parquet')) continue;
      const folder = info.uri.split('/').at(-2) ?? '';
      try {
        const stock = await readStock(db, resultObject(info.uri, { store, scratchDirectory }), choice);
        files.push({ ...stock, info, folder });
      } catch (error) {
        if (!isOfFile(error)) throw error;
        unreadable.push({ uri: info.uri, why: (error as Error).message.split('\n')[0] ?? '' });
      }
    }
  });
  return { files, unreadable };
}
