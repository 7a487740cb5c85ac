import { join } from 'node:path';
import { InvalidRunInputError } from '../../core/errors.ts';
import { renderReportPage } from '../../report/report-page.ts';
import type { RunReport } from '../../report/run-report.ts';
import { writeReport } from '../../report/write-report.ts';
import { findRun } from '../../runs/run-store.ts';
import type { RunFiles } from '../../targets/run-files.ts';
import { placeOfPage, writePage } from './page-file.ts';

/** Where else a report goes. */
export interface ReportOptions {
  /** A file for a copy, which ends in .html; it takes the place of one that is there. */
  output?: string | undefined;
}

/** A report, and where its page is. */
export interface WrittenReport {
  report: RunReport;
  /** The page beside the results: a path of this machine, or an S3 URI. */
  page: string;
  /** The copy, if one was asked for. */
  copy: string | null;
}

/** Writes the report of a run that has ended; of one that has not, InvalidRunInputError. */
export async function reportOf(
  runId: string,
  { files, output }: { files: RunFiles } & ReportOptions,
): Promise<WrittenReport> {
  const copy = output === undefined ? null : await placeOfPage(output, 'report');
  const { store, dir } = files;
  const { layout, plan, summary } = await findRun(files, runId);
  if (summary === undefined) {
    throw new InvalidRunInputError(
      `Run "${runId}" has not ended yet: its report is written when it has. See how far it is: quarry status ${runId}`,
    );
  }
  const scratchDirectory = join(dir, '.scratch');
  const report = await writeReport({ layout, plan, summary, store, scratchDirectory });
  if (copy !== null)
    await writePage(copy, renderReportPage(report), { what: 'report', given: output ?? copy });
  return { report, page: store.localPath?.(layout.report) ?? layout.report, copy };
}
