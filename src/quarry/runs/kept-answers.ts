import { InvalidRunInputError } from '../../core/errors.ts';
import { createScratch } from '../../rows/duckdb/scratch.ts';
import {
  type AnswersReport,
  compactAnswers,
  pruneAnswers,
  rebuildAnswers,
  reportAnswers,
} from '../../steps/answers/answer-store.ts';
import type { RunFiles } from '../../targets/run-files.ts';

/** What is done with kept answers, before they are counted. */
export interface AnswersOptions {
  /** Take in the answers of every run that has ended, with `reuse` or without, and delete files that cannot be read. */
  rebuild?: boolean | undefined;
  /** Put small files together. */
  compact?: boolean | undefined;
  /** Delete the answers of this run; with `pruneBefore`, those that are older too. */
  pruneRun?: string | undefined;
  /** Delete answers of runs that were planned before this moment: a date, or a date with a time, ISO 8601. */
  pruneBefore?: string | undefined;
}

/** What is kept, and what was done; null is what was not asked for. */
export interface KeptAnswers extends AnswersReport {
  rebuilt: { runs: number; answers: number; deleted: number } | null;
  pruned: number | null;
  /** How many files there are fewer. */
  compacted: number | null;
}

/** Does with kept answers what is asked, and counts what there is then. */
export async function tendAnswers(
  { rebuild = false, compact = false, pruneRun, pruneBefore }: AnswersOptions,
  files: RunFiles,
): Promise<KeptAnswers> {
  const before = pruneBefore === undefined ? undefined : momentOf(pruneBefore);
  const { hash } = await files.planDeps();
  await using scratch = await createScratch();
  const place = { store: files.store, bucket: files.bucket, hash, scratchDirectory: scratch.path };
  const isPruned = pruneRun !== undefined || before !== undefined;
  const pruned = isPruned ? await pruneAnswers({ runId: pruneRun, before }, place) : null;
  const rebuilt = rebuild ? await rebuildAnswers(place) : null;
  const compacted = compact ? await compactAnswers(place) : null;
  return { ...(await reportAnswers(place)), rebuilt, pruned, compacted };
}

/** A moment as runs have theirs. */
function momentOf(text: string): string {
  const ms = /^\d{4}-\d{2}-\d{2}(?:T.*)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidRunInputError(
      `pruneBefore "${text}" is no date: write one like 2026-11-28, or 2026-11-28T12:00:00Z.`,
    );
  }
  return new Date(ms).toISOString();
}
