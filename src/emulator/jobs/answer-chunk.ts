import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordFaults } from '../faults/fault-injector.ts';
import { digestOf } from '../faults/seeded-random.ts';
import type { WrittenAnswer } from '../models/answerer.ts';
import { type Refusal, refuse } from '../models/model-family.ts';
import type { RecordQuestion } from './input-window.ts';
import type { PlacedWindow, WorkState } from './job-work.ts';
import type { RecordCounts } from './stored-job.ts';

/** Some records that follow one another in the job's order, and what they got so far. */
export interface Chunk {
  window: PlacedWindow;
  /** It ends the job. */
  isLast: boolean;
  questions: RecordQuestion[];
  /** By place among the questions; a hole is still to be asked for. */
  results: RecordResult[];
  /** What a model server said last, by place, where it had no answer. */
  refusals: Refusal[];
  /** How often in a row it had no answer to any of them. */
  round: number;
}

/** What one record got. */
export interface RecordResult {
  question: RecordQuestion;
  /** Undefined for a record that the output lacks. */
  result: WrittenAnswer | Refusal | undefined;
  faults: RecordFaults | undefined;
}

/** A model server answers nothing any more. */
export class ModelServerDownError extends Error {}

/** Simulated answers between two turns of the event loop. */
const ANSWERS_PER_TURN = 64;
/** How often records are asked for without any answer, before that is what they get. */
const MAX_ROUNDS = 6;
const FIRST_WAIT_MS = 1000;
/** A wait that no server prolongs, and one that a server asks for. */
const MAX_WAIT_MS = 60_000;
const MAX_ASKED_WAIT_MS = 300_000;

/**
 * Asks for every record that has no result yet. Where a model server wants to be left alone for a while, the milliseconds are
 * returned after which to call again; where it answers nothing at all, ModelServerDownError is thrown.
 */
export async function fillChunk(chunk: Chunk, state: WorkState): Promise<number | undefined> {
  if (state.job.modelServer === undefined) {
    await simulateAll(chunk, state);
    return undefined;
  }
  let open = openPlaces(chunk);
  // After a failure one record tries whether the server is there again, another one each time, before the others follow.
  const first = chunk.round % open.length;
  const trial = chunk.round === 0 ? open : open.slice(first, first + 1);
  let failed = await askAll(trial, chunk, state);
  const isBack = failed.length < trial.length;
  if (isBack && chunk.round > 0) {
    open = openPlaces(chunk);
    failed = await askAll(open, chunk, state);
  }
  open = openPlaces(chunk);
  if (open.length === 0) return undefined;
  chunk.round = isBack ? 1 : chunk.round + 1;
  if (chunk.round < MAX_ROUNDS) return waitOf(chunk.round, failed);
  if (chunk.results.length === 0 && chunk.questions.length > 1) {
    throw new ModelServerDownError(failed.at(-1)?.errorMessage);
  }
  for (const place of open) giveUp(chunk, place);
  return undefined;
}

async function simulateAll(chunk: Chunk, state: WorkState): Promise<void> {
  for (const [place, question] of chunk.questions.entries()) {
    const { faults, result } = answer(question, state);
    chunk.results[place] = { question, faults, result: result as WrittenAnswer | Refusal | undefined };
    if ((place + 1) % ANSWERS_PER_TURN === 0) await nextTurn();
  }
  await nextTurn();
}

/** Asks for some records at once, and returns what those got that the next try may answer. */
async function askAll(places: readonly number[], chunk: Chunk, state: WorkState): Promise<Refusal[]> {
  const failed: Refusal[] = [];
  const asked = await Promise.allSettled(
    places.map(async (place) => {
      const question = chunk.questions[place] as RecordQuestion;
      const { faults, result } = answer(question, state);
      const settled = await result;
      if (settled?.kind === 'refusal' && settled.isPassing === true) {
        failed.push(settled);
        chunk.refusals[place] = settled;
      } else chunk.results[place] = { question, faults, result: settled };
    }),
  );
  const broken = asked.find((outcome) => outcome.status === 'rejected');
  // A fault of this machine: nobody was asked.
  if (broken !== undefined) throw broken.reason;
  return failed;
}

function answer({ record, recordId }: RecordQuestion, { job, deps, recordFaultsOf }: WorkState) {
  const faults = recordFaultsOf?.(recordId);
  if (faults?.isMissing === true) return { faults, result: undefined };
  if (faults?.error !== undefined) {
    return { faults, result: refuse(faults.error.errorMessage, faults.error.errorCode) };
  }
  const result = deps.answerer.answer({
    model: deps.model,
    invocationType: job.modelInvocationType,
    body: record.modelInput,
    bodyText: record.modelInputText,
    atMs: job.submitTimeMs,
    inBatch: true,
    server: job.modelServer,
  });
  return { faults, result };
}

function openPlaces({ questions, results }: Chunk): number[] {
  return [...questions.keys()].filter((place) => results[place] === undefined);
}

/** What a model server said last is the record's error. */
function giveUp({ questions, results, refusals }: Chunk, place: number): void {
  const question = questions[place] as RecordQuestion;
  results[place] = { question, faults: undefined, result: refusals[place] };
}

function waitOf(round: number, failed: readonly Refusal[]): number {
  const backoffMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (round - 1));
  const askedMs = Math.max(0, ...failed.map(({ retryAfterMs = 0 }) => retryAfterMs));
  return Math.max(backoffMs, Math.min(askedMs, MAX_ASKED_WAIT_MS));
}

/** Adds what one record got. */
export function addResult(counts: RecordCounts, result: WrittenAnswer | Refusal): void {
  counts.processed += 1;
  if (result.kind === 'refusal') {
    counts.error += 1;
    return;
  }
  counts.success += 1;
  counts.inputTokens += result.inputTokens;
  counts.outputTokens += result.outputTokens;
}

/** A line of the file that tells what was answered. */
export function toAnswerLine({ record, recordId }: RecordQuestion): string {
  return `${recordId}\t${digestOf(record.modelInputText)}\n`;
}
