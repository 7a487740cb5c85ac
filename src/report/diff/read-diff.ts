import { mkdir, mkdtempDisposable } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { S3Uri } from '../../core/s3-uri.ts';
import { VERSION } from '../../core/version.ts';
import { compareResults, type ResultComparison } from '../../rows/compare/compare-results.ts';
import type { ResultFile } from '../../rows/results/read-results.ts';
import { resultObjects } from '../../rows/results/result-objects.ts';
import { diskFaultOf } from '../../store/disk-fault.ts';
import { typedColumnsOf } from '../prompt-pieces.ts';
import type { ReportSource } from '../read-report.ts';
import { chooseJoin, isSameDataset, type JoinWish, sharedInputs } from './choose-join.ts';
import { notesOf } from './diff-notes.ts';
import { changedSettings } from './diff-settings.ts';
import { readTelling } from './read-telling.ts';
import type { DiffedRun, JoinedBy, RunDiff } from './run-diff.ts';

/** Two runs that have ended, and how their rows are to be joined. */
export interface DiffSource {
  a: ReportSource;
  b: ReportSource;
  by?: JoinWish | undefined;
}

/** What is known of two runs before a row is read. Throws InvalidRunInputError where they cannot be compared. */
export function prepareDiff({ a, b, by }: DiffSource): {
  joined_by: JoinedBy;
  typed: string[];
  isEmbedding: boolean;
} {
  for (const { plan, summary } of [a, b]) {
    if (summary.output_uris.length > 0) continue;
    throw new InvalidRunInputError(`Run "${plan.run_id}" has no result files: there is nothing to compare.`);
  }
  const [text, vectors] = [a.plan, b.plan].toSorted(
    (x, y) => Number(isEmbedding(x)) - Number(isEmbedding(y)),
  );
  if (text !== undefined && vectors !== undefined && !isEmbedding(text) && isEmbedding(vectors)) {
    throw new InvalidRunInputError(
      `Run "${vectors.run_id}" has embeddings and run "${text.run_id}" has texts: they cannot be compared. Compare two runs of the same kind.`,
    );
  }
  const ofB = new Set(typedColumnsOf(b.plan));
  return {
    joined_by: chooseJoin(a.plan, b.plan, by),
    typed: typedColumnsOf(a.plan).filter((name) => ofB.has(name)),
    isEmbedding: isEmbedding(a.plan),
  };
}

function isEmbedding({ variants: [{ prompt_template, prompt_templates }] }: RunPlan): boolean {
  return prompt_template === null && prompt_templates === undefined;
}

/** Compares two runs, by their files. The same files give the same diff. */
export async function readDiff(source: DiffSource): Promise<RunDiff> {
  const { a, b } = source;
  const { joined_by, typed, isEmbedding: areVectors } = prepareDiff(source);
  const files = { a: filesOf(a), b: filesOf(b) };
  await mkdir(a.scratchDirectory, { recursive: true });
  await using scratch = await mkdtempDisposable(join(a.scratchDirectory, 'diff-'));
  const isEditable = joined_by.kind === 'record_id' && !isSameDataset(a.plan, b.plan);
  try {
    const compared = await compareResults({
      a: { files: files.a, outputColumn: a.plan.variants[0].output_column },
      b: { files: files.b, outputColumn: b.plan.variants[0].output_column },
      key: joined_by,
      inputs: isEditable ? sharedInputs(a.plan, b.plan) : undefined,
      typed,
      isEmbedding: areVectors,
      directory: scratch.path,
    });
    const diff: RunDiff = {
      format_version: 1,
      quarry_version: VERSION,
      a: diffedRun(a),
      b: diffedRun(b),
      joined_by,
      compared_by: areVectors ? 'vectors' : compared.columns.length > 0 ? 'columns' : 'text',
      is_empty: isEmpty(compared),
      settings: changedSettings(a, b),
      ...compared,
      notes: [],
      telling: await readTelling(compared.telling, { a, b, files }),
    };
    return { ...diff, notes: notesOf(diff, { a: typedColumnsOf(a.plan), b: typedColumnsOf(b.plan) }) };
  } catch (error) {
    throw diskFaultOf(error, scratch.path) ?? error;
  }
}

function filesOf({ summary, store, scratchDirectory }: ReportSource): ResultFile[] {
  return resultObjects(summary.output_uris as S3Uri[], { store, scratchDirectory });
}

function diffedRun({ plan, summary }: ReportSource): DiffedRun {
  const { run_id, model_id, status, ended_at, rows, tokens, cost_usd, simulated, billed } = summary;
  return {
    run_id,
    model_id,
    status,
    ended_at,
    rows,
    tokens,
    cost_usd,
    billed: billed ?? (!simulated && plan.model_server === undefined),
    simulated,
  };
}

function isEmpty(found: ResultComparison): boolean {
  const counts = [
    found.only_in_a,
    found.only_in_b,
    found.edited ?? 0,
    found.changed.rows,
    found.reworded ?? 0,
    found.newly_failed.rows,
    found.newly_mended.rows,
    found.truncated.newly,
    found.truncated.no_longer,
    found.refused.newly,
    found.refused.no_longer,
  ];
  return counts.every((count) => count === 0);
}
