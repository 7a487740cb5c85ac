import { join } from 'node:path';
import { type CheckedCondition, parseFailConditions } from '../../core/diff/fail-condition.ts';
import { InvalidRunInputError } from '../../core/errors.ts';
import { variantViews } from '../../core/run/variant-view.ts';
import type { JoinWish } from '../../report/diff/choose-join.ts';
import { checkConditions, requireColumns } from '../../report/diff/diff-metrics.ts';
import { renderDiffPage } from '../../report/diff/diff-page.ts';
import { prepareDiff, readDiff } from '../../report/diff/read-diff.ts';
import type { RunDiff } from '../../report/diff/run-diff.ts';
import type { ReportSource } from '../../report/read-report.ts';
import { findRun } from '../../runs/run-store.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { placeOfPage, writePage } from './page-file.ts';

/** How two runs are compared. */
export interface DiffOptions {
  /**
   * What rows are joined by: `id`, record ids of the same column or numbers in the same dataset; `content`, what is in the columns
   * that both datasets have. @default ids where they are the same in both, else content
   */
  by?: JoinWish | undefined;
  /** A file that ends in .html for a page that shows the diff; it takes the place of one that is there. */
  html?: string | undefined;
  /** Conditions that the runs are not to meet, such as `changed>1%`: docs/diff.md has the grammar. */
  failIf?: string | readonly string[] | undefined;
}

/** A diff of two runs, what came of the conditions, and where its page is. */
export interface WrittenDiff {
  diff: RunDiff;
  /** One for each of `failIf`, in their order. */
  conditions: CheckedCondition[];
  /** True where one of the conditions holds. */
  failed: boolean;
  /** Path of the page; null where none was asked for. */
  page: string | null;
}

/** A run, and the files that it is among. */
interface NamedRun {
  runId: string;
  /** One of its variants; undefined of a run without. */
  variant: string | undefined;
  files: RunFiles;
}

/** Compares two runs that have ended, wherever each is; InvalidRunInputError where they cannot be compared. */
export async function diffRuns(
  runs: { a: NamedRun; b: NamedRun },
  { by, html, failIf = [] }: DiffOptions,
): Promise<WrittenDiff> {
  if (by !== undefined && by !== 'id' && by !== 'content') {
    throw new InvalidRunInputError(`Rows are joined by "id" or by "content", and "${by}" is neither.`);
  }
  const conditions = [failIf].flat().flatMap((text) => parseFailConditions(text));
  const page = html === undefined ? null : await placeOfPage(html, 'diff');
  const source = { a: await sourceOf(runs.a), b: await sourceOf(runs.b), by };
  requireColumns(conditions, prepareDiff(source).typed);
  const diff = await readDiff(source);
  if (page !== null) await writePage(page, renderDiffPage(diff), { what: 'diff', given: html ?? page });
  const checked = checkConditions(diff, conditions);
  return { diff, conditions: checked, failed: checked.some(({ holds }) => holds), page };
}

async function sourceOf({ runId, variant, files }: NamedRun): Promise<ReportSource> {
  const { layout, plan, summary } = await findRun(files, runId);
  if (summary === undefined) {
    throw new InvalidRunInputError(
      `Run "${runId}" has not ended yet: two runs that have are compared. See how far it is: quarry status ${runId}`,
    );
  }
  const views = variantViews(plan, summary);
  const names = plan.variants.map(({ name }) => `${runId}:${name}`);
  const view = views[names.indexOf(`${runId}:${variant}`)];
  if (view === undefined && (variant !== undefined || views.length > 0)) {
    throw new InvalidRunInputError(
      views.length === 0
        ? `Run "${runId}" has no variants: name it without ":${variant}".`
        : `Run "${runId}" has variants: name one of ${names.join(', ')}.`,
    );
  }
  const place = { store: files.store, scratchDirectory: join(files.dir, '.scratch') };
  return { layout, ...(view ?? { plan, summary }), ...place };
}
