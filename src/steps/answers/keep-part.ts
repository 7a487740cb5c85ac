import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSideBySide, type RunPlan } from '../../core/plan/run-plan.ts';
import { keepAnswers } from '../../rows/answers/answer-file.ts';
import { answersFileUri, answersFolderUri } from '../../runs/answers-layout.ts';
import type { StepDeps } from '../deps.ts';
import { resultColumnsOfRun } from '../plan/result-columns-of-run.ts';
import { type PlannedRun, variantOf } from '../run/read-plan.ts';
import { type Answering, askedOf, folderOf } from './asked.ts';

/** A part whose rows are final. */
export interface FinalPart {
  run: PlannedRun;
  part: { part_id: string; variant: number };
  /** Local file of its rows. */
  resultPath: string;
  scratchDirectory: string;
}

/** True of a run whose answers are kept: one that takes those of others, or that tries variants of which one may be run on all rows. */
export function keepsAnswers(plan: Pick<RunPlan, 'reuse' | 'variants'>): boolean {
  return plan.reuse !== undefined || isSideBySide(plan);
}

/** What keeping needs of the world: where answers go, and who gave these. */
export type KeepDeps = Pick<StepDeps, 'store' | 'hash'> & {
  settings: Pick<StepDeps['settings'], 'bucket'> & Answering;
};

/**
 * Keeps the answers of a part for later runs, in a file that no other part writes: a repeated call writes the same again.
 * Gives how many they are.
 */
export async function keepPart(
  { run, part, resultPath, scratchDirectory }: FinalPart,
  { store, settings, hash }: KeepDeps,
): Promise<number> {
  const { plan } = run;
  const { model, input, call } = variantOf(run, part);
  const asked = askedOf({ model }, settings);
  await mkdir(scratchDirectory, { recursive: true });
  const answersPath = join(scratchDirectory, 'kept.parquet');
  const answers = await keepAnswers({
    resultPath,
    columns: resultColumnsOfRun(input, call),
    frame: call.frame,
    asked,
    datasetColumns: plan.dataset.columns,
    runId: plan.run_id,
    answeredAt: plan.created_at,
    answersPath,
    scratchDirectory,
  });
  if (answers === 0) return 0;
  const uri = answersFileUri(answersFolderUri(settings.bucket, folderOf(asked, { hash })), {
    runId: plan.run_id,
    plannedAt: plan.created_at,
    partId: part.part_id,
  });
  await store.putFile(answersPath, uri);
  return answers;
}
